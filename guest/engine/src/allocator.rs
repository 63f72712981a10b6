//! The engine's memory inside the sandbox. Operators take and give back the same few sizes for every batch, and values
//! come and go by the row: blocks that are given back wait by size for whoever wants the like. The standard library's
//! allocator, which gives what these blocks are made of, made a million rows of `generate_series` take 79 ms instead of
//! 60.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

/// Small blocks are multiples of this, and all are aligned to it.
const GRAIN: usize = 16;

/// The largest small block, a power of two.
const SMALL: usize = 512;
const SMALL_CLASSES: usize = SMALL / GRAIN;

/// Between one power of two and the next, larger blocks have so many sizes.
const STEPS: usize = 4;

/// The largest block that is kept, a power of two: a batch of pairs fits in.
const LARGE: usize = 128 << 10;
const CLASSES: usize = SMALL_CLASSES + STEPS * (LARGE / SMALL).ilog2() as usize;

/// Small blocks are cut from pieces of this many bytes, which are never given back.
const PIECE: usize = 64 << 10;

/// Larger blocks of one size that wait, at most: what a statement once needed of them must not be lost to the others.
const WAITING: usize = 32;

/// A block that waits.
struct Block {
    next: *mut Block,
}

#[derive(Clone, Copy)]
struct Class {
    first: *mut Block,
    /// Blocks that wait, if they are not small.
    waiting: usize,
}

struct State {
    classes: [Class; CLASSES],
    /// What is left of the last piece.
    rest: *mut u8,
    rest_bytes: usize,
}

/// For one thread only.
pub struct Allocator(UnsafeCell<State>);

impl Allocator {
    /// # Safety
    /// It must not be used by several threads.
    pub const unsafe fn new() -> Allocator {
        let class = Class { first: null_mut(), waiting: 0 };
        Allocator(UnsafeCell::new(State { classes: [class; CLASSES], rest: null_mut(), rest_bytes: 0 }))
    }
}

// SAFETY: `new` demands that one thread alone uses it.
unsafe impl Sync for Allocator {}

/// The number of a block's size; none for blocks that do not wait.
#[inline]
fn class_of(layout: Layout) -> Option<usize> {
    let size = layout.size().max(1);
    if layout.align() > GRAIN || size > LARGE {
        return None;
    }
    if size <= SMALL {
        return Some((size - 1) / GRAIN);
    }
    let power = (size - 1).ilog2();
    let step = (size - 1) >> (power - STEPS.ilog2()) & (STEPS - 1);
    Some(SMALL_CLASSES + (power - SMALL.ilog2()) as usize * STEPS + step)
}

/// The bytes of a class' blocks.
#[inline]
fn size_of_class(class: usize) -> usize {
    match class.checked_sub(SMALL_CLASSES) {
        None => (class + 1) * GRAIN,
        Some(above) => (STEPS + 1 + above % STEPS) << (above / STEPS + (SMALL / STEPS).ilog2() as usize),
    }
}

impl State {
    /// A block of a class of which none waits.
    #[cold]
    fn make(&mut self, class: usize) -> *mut u8 {
        let size = size_of_class(class);
        if class >= SMALL_CLASSES {
            // SAFETY: the size is not zero.
            return unsafe { System.alloc(layout_of(size)) };
        }
        if self.rest_bytes < size {
            // SAFETY: as above.
            let piece = unsafe { System.alloc(layout_of(PIECE)) };
            if piece.is_null() {
                return piece;
            }
            (self.rest, self.rest_bytes) = (piece, PIECE);
        }
        let block = self.rest;
        // SAFETY: the piece has `size` bytes more.
        self.rest = unsafe { block.add(size) };
        self.rest_bytes -= size;
        block
    }
}

fn layout_of(size: usize) -> Layout {
    // SAFETY: the alignment is a power of two, and sizes are far below the greatest.
    unsafe { Layout::from_size_align_unchecked(size, GRAIN) }
}

// SAFETY: blocks are as large and as aligned as asked, and none is handed out twice before it is given back.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(number) = class_of(layout) else {
            // SAFETY: the caller's promises are the same.
            return unsafe { System.alloc(layout) };
        };
        // SAFETY: one thread, which is in no other of these functions.
        let state = unsafe { &mut *self.0.get() };
        let class = &mut state.classes[number];
        let block = class.first;
        if block.is_null() {
            return state.make(number);
        }
        // SAFETY: blocks that wait are nobody else's.
        class.first = unsafe { (*block).next };
        class.waiting -= 1;
        block.cast()
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some(number) = class_of(layout) else {
            // SAFETY: `alloc` had it from there.
            return unsafe { System.dealloc(pointer, layout) };
        };
        // SAFETY: as in `alloc`.
        let class = unsafe { &mut (&mut *self.0.get()).classes[number] };
        if number >= SMALL_CLASSES && class.waiting >= WAITING {
            // SAFETY: `make` had it from there, with this layout.
            return unsafe { System.dealloc(pointer, layout_of(size_of_class(number))) };
        }
        let block: *mut Block = pointer.cast();
        // SAFETY: it is given back, and no block is smaller than a `Block`.
        unsafe { (*block).next = class.first };
        class.first = block;
        class.waiting += 1;
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if class_of(layout).is_none() {
            // SAFETY: the caller's promises are the same.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: as above, and the block has so many bytes.
        unsafe {
            let block = self.alloc(layout);
            if !block.is_null() {
                block.write_bytes(0, layout.size());
            }
            block
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that it is valid.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (class_of(layout), class_of(wanted)) {
            // SAFETY: `alloc` had it from there.
            (None, None) => unsafe { System.realloc(pointer, layout, size) },
            (before, after) if before == after => pointer,
            // SAFETY: both blocks have the bytes that are copied.
            _ => unsafe {
                let block = self.alloc(wanted);
                if !block.is_null() {
                    block.copy_from_nonoverlapping(pointer, layout.size().min(size));
                    self.dealloc(pointer, layout);
                }
                block
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 1).unwrap()
    }

    #[test]
    fn every_size_fits_its_class_and_no_smaller_one() {
        for size in 1..=LARGE {
            let class = class_of(layout(size)).unwrap();
            assert!(size_of_class(class) >= size, "{size} bytes in class {class}");
            assert!(class == 0 || size_of_class(class - 1) < size, "{size} bytes in class {class}");
        }
        assert_eq!(class_of(layout(LARGE)), Some(CLASSES - 1));
        assert_eq!(class_of(layout(LARGE + 1)), None);
        assert_eq!(class_of(Layout::from_size_align(8, 64).unwrap()), None);
    }

    #[test]
    fn blocks_hold_what_is_put_in_while_others_come_and_go() {
        let allocator = unsafe { Allocator::new() };
        let mut held: Vec<(*mut u8, usize, u8)> = vec![];
        let mut random = 7u64;
        for round in 0..20_000u32 {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(round.into());
            let size = 1 + (random >> 33) as usize % [64, 2000, 200_000][round as usize % 3];
            let fill = round as u8;
            let place = (random >> 20) as usize % 100;
            if held.len() <= place {
                let block = unsafe { allocator.alloc_zeroed(layout(size)) };
                assert_eq!(block as usize % GRAIN, 0);
                assert!(unsafe { std::slice::from_raw_parts(block, size) }.iter().all(|byte| *byte == 0));
                unsafe { block.write_bytes(fill, size) };
                held.push((block, size, fill));
                continue;
            }
            let (block, before, filled) = held.swap_remove(place);
            let (block, kept) = match round % 2 {
                0 => (unsafe { allocator.realloc(block, layout(before), size) }, before.min(size)),
                _ => (block, before),
            };
            assert!(unsafe { std::slice::from_raw_parts(block, kept) }.iter().all(|byte| *byte == filled));
            unsafe { allocator.dealloc(block, layout(if round % 2 == 0 { size } else { before })) };
        }
        held.into_iter().for_each(|(block, size, _)| unsafe { allocator.dealloc(block, layout(size)) });
    }
}
