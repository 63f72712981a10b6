//! Memory for calls that need little of it, at a fixed place: the first allocation of Rust's own allocator would make
//! the instance's memory grow, which costs the host more than many a call.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;

/// More than this at once comes from Rust's own allocator.
const BYTES: usize = 64 << 10;

#[repr(align(16))]
struct Place(UnsafeCell<[u8; BYTES]>);

/// Hands out one piece after another. What is given back is free again when it was the last one, or when nothing else
/// is in use.
struct Allocator {
    place: Place,
    state: UnsafeCell<State>,
}

struct State {
    /// Offset of the first byte that is free.
    free: usize,
    /// Pieces in use.
    pieces: usize,
}

// SAFETY: an instance is one thread.
unsafe impl Sync for Allocator {}

#[global_allocator]
static ALLOCATOR: Allocator =
    Allocator { place: Place(UnsafeCell::new([0; BYTES])), state: UnsafeCell::new(State { free: 0, pieces: 0 }) };

impl Allocator {
    fn offset(&self, pointer: *mut u8) -> Option<usize> {
        let offset = pointer.addr().wrapping_sub(self.place.0.get().addr());
        (offset < BYTES).then_some(offset)
    }
}

// SAFETY: pieces lie apart from each other inside the place, aligned and as large as asked for; all others are Rust's.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: nobody else looks at it meanwhile, since an instance is one thread.
        let state = unsafe { &mut *self.state.get() };
        let start = state.free.next_multiple_of(layout.align());
        if layout.align() > align_of::<Place>() || layout.size() > BYTES.saturating_sub(start) {
            // SAFETY: the caller's promise is the same.
            return unsafe { System.alloc(layout) };
        }
        state.free = start + layout.size();
        state.pieces += 1;
        // SAFETY: the offset is inside the place, or at its end for a size of zero, which nobody asks for.
        unsafe { self.place.0.get().cast::<u8>().add(start) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some(start) = self.offset(pointer) else {
            // SAFETY: the piece came from there, with this layout.
            return unsafe { System.dealloc(pointer, layout) };
        };
        // SAFETY: as in `alloc`.
        let state = unsafe { &mut *self.state.get() };
        state.pieces -= 1;
        if state.pieces == 0 {
            state.free = 0;
        } else if start + layout.size() == state.free {
            state.free = start;
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(start) = self.offset(pointer) else {
            // SAFETY: the piece came from there, with this layout.
            return unsafe { System.realloc(pointer, layout, size) };
        };
        // SAFETY: as in `alloc`.
        let state = unsafe { &mut *self.state.get() };
        if start + layout.size() == state.free && size <= BYTES - start {
            state.free = start + size;
            return pointer;
        }
        // SAFETY: the caller says that the size is possible with this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: two pieces, of which the new one is not null where it is copied to.
        unsafe {
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(pointer, layout.size().min(size));
                self.dealloc(pointer, layout);
            }
            moved
        }
    }
}
