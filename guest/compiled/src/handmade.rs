//! Valid components that no compiler makes: small, and greedy before their first call.

use wasm_encoder::{
    CodeSection, ComponentBuilder, ComponentExportKind, ComponentValType, ConstExpr, DataSection, ExportKind,
    ExportSection, Function, FunctionSection, MemorySection, MemoryType, Module, ModuleArg, PrimitiveValType, RefType,
    StartSection, TableSection, TableType, TypeSection, ValType,
};

const WASM_PAGE_BYTES: u64 = 65_536;

/// Exports `no-operation: func() -> s32`, which answers 1, and needs nothing.
pub fn no_operation() -> Vec<u8> {
    component(&Parts::default())
}

/// Its memory begins with so many bytes.
pub fn large_memory(bytes: u64) -> Vec<u8> {
    component(&Parts { memory_bytes: bytes, ..Parts::default() })
}

/// Its table begins with so many elements.
pub fn large_table(elements: u64) -> Vec<u8> {
    component(&Parts { table_elements: elements, ..Parts::default() })
}

/// Traps when it is instantiated.
pub fn trap_at_start() -> Vec<u8> {
    component(&Parts { start: Start::Trap, ..Parts::default() })
}

/// Never ends being instantiated.
pub fn endless_start() -> Vec<u8> {
    component(&Parts { start: Start::Loop, ..Parts::default() })
}

/// Writes beyond its memory when it is instantiated.
pub fn data_out_of_bounds() -> Vec<u8> {
    component(&Parts { data_offset: Some(i32::MAX), ..Parts::default() })
}

/// One function with so many local variables, each of which costs a compiler something.
pub fn many_locals(count: u32) -> Vec<u8> {
    component(&Parts { locals: count, ..Parts::default() })
}

/// So many copies of one function: a small text that is much to compile.
pub fn many_functions(count: u32) -> Vec<u8> {
    component(&Parts { more_functions: count, ..Parts::default() })
}

/// So many instances of one module inside one component.
pub fn many_instances(count: u32) -> Vec<u8> {
    let mut builder = ComponentBuilder::default();
    let module = builder.core_module(None, &module(&Parts::default()));
    for _ in 0..count {
        builder.core_instantiate(None, module, std::iter::empty::<(&str, ModuleArg)>());
    }
    finish(builder, module)
}

/// Components inside components, so many deep.
pub fn deeply_nested(depth: u32) -> Vec<u8> {
    let mut inner = no_operation();
    for _ in 0..depth {
        let mut builder = ComponentBuilder::default();
        builder.component_raw(None, &inner);
        inner = builder.finish();
    }
    inner
}

/// A list of lists of … of s32, so many deep, as the result of a function: more than any SQL type is.
pub fn deep_type(depth: u32) -> Vec<u8> {
    let mut builder = ComponentBuilder::default();
    let mut element = ComponentValType::Primitive(PrimitiveValType::S32);
    for _ in 0..depth {
        let (index, encoder) = builder.type_defined(None);
        encoder.list(element);
        element = ComponentValType::Type(index);
    }
    let (function_type, mut encoder) = builder.type_function(None);
    encoder.params([("value", element)]).result(None);
    let parts = Parts { parameters: vec![ValType::I32, ValType::I32], answers: false, ..Parts::default() };
    let module = builder.core_module(None, &module(&parts));
    let instance = builder.core_instantiate(None, module, std::iter::empty::<(&str, ModuleArg)>());
    let memory = builder.core_alias_export(None, instance, "memory", ExportKind::Memory);
    let run = builder.core_alias_export(None, instance, "run", ExportKind::Func);
    let allocate = builder.core_alias_export(None, instance, "allocate", ExportKind::Func);
    let options = [wasm_encoder::CanonicalOption::Memory(memory), wasm_encoder::CanonicalOption::Realloc(allocate)];
    let lifted = builder.lift_func(None, run, function_type, options);
    builder.export("deep", ComponentExportKind::Func, lifted, None);
    builder.finish()
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Start {
    #[default]
    Nothing,
    Trap,
    Loop,
}

/// What is special about a module that is otherwise harmless.
struct Parts {
    memory_bytes: u64,
    table_elements: u64,
    start: Start,
    data_offset: Option<i32>,
    locals: u32,
    more_functions: u32,
    parameters: Vec<ValType>,
    answers: bool,
}

impl Default for Parts {
    fn default() -> Parts {
        Parts {
            memory_bytes: WASM_PAGE_BYTES,
            table_elements: 0,
            start: Start::Nothing,
            data_offset: None,
            locals: 0,
            more_functions: 0,
            parameters: vec![],
            answers: true,
        }
    }
}

fn component(parts: &Parts) -> Vec<u8> {
    let mut builder = ComponentBuilder::default();
    let module = builder.core_module(None, &module(parts));
    finish(builder, module)
}

/// Exports the module's `run` as `no-operation`.
fn finish(mut builder: ComponentBuilder, module: u32) -> Vec<u8> {
    let instance = builder.core_instantiate(None, module, std::iter::empty::<(&str, ModuleArg)>());
    let run = builder.core_alias_export(None, instance, "run", ExportKind::Func);
    let (function_type, mut encoder) = builder.type_function(None);
    encoder
        .params(std::iter::empty::<(&str, ComponentValType)>())
        .result(Some(ComponentValType::Primitive(PrimitiveValType::S32)));
    let lifted = builder.lift_func(None, run, function_type, []);
    builder.export("no-operation", ComponentExportKind::Func, lifted, None);
    builder.finish()
}

/// The functions 0 `run`, 1 `allocate`, 2 what runs at the start, and then copies of `run`.
fn module(parts: &Parts) -> Module {
    let mut types = TypeSection::new();
    let answer = if parts.answers { vec![ValType::I32] } else { vec![] };
    types.ty().function(parts.parameters.clone(), answer);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    types.ty().function([], []);

    let mut functions = FunctionSection::new();
    functions.function(0).function(1).function(2);
    for _ in 0..parts.more_functions {
        functions.function(0);
    }

    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: parts.table_elements,
        maximum: None,
        shared: false,
    });
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: parts.memory_bytes.div_ceil(WASM_PAGE_BYTES),
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });

    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("run", ExportKind::Func, 0);
    exports.export("allocate", ExportKind::Func, 1);

    let mut code = CodeSection::new();
    code.function(&run(parts));
    code.function(&constant(1024));
    code.function(&at_start(parts.start));
    for _ in 0..parts.more_functions {
        code.function(&run(parts));
    }

    let mut module = Module::new();
    module.section(&types).section(&functions).section(&tables).section(&memories).section(&exports);
    if parts.start != Start::Nothing {
        module.section(&StartSection { function_index: 2 });
    }
    module.section(&code);
    if let Some(offset) = parts.data_offset {
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(offset), *b"beyond");
        module.section(&data);
    }
    module
}

fn run(parts: &Parts) -> Function {
    let mut function = Function::new([(parts.locals, ValType::I64)]);
    if parts.answers {
        function.instructions().i32_const(1);
    }
    function.instructions().end();
    function
}

fn constant(number: i32) -> Function {
    let mut function = Function::new([]);
    function.instructions().i32_const(number).end();
    function
}

fn at_start(start: Start) -> Function {
    let mut function = Function::new([]);
    match start {
        Start::Nothing => {}
        Start::Trap => drop(function.instructions().unreachable()),
        Start::Loop => drop(function.instructions().loop_(wasm_encoder::BlockType::Empty).br(0).end()),
    }
    function.instructions().end();
    function
}
