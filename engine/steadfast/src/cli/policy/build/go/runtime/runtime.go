// Package runtime gives the contract's bindings memory that the garbage collector leaves where it is: the engine
// writes a call's arguments into it before the call, and reads the answer from it afterwards.
package runtime

import (
	"runtime"
	"unsafe"
)

// What the engine was given for the arguments of the next call.
var arguments runtime.Pinner

// A list of no bytes needs an address too.
var nothing uint64

// Allocate gives size bytes at the alignment, which stay where they are until the pinner lets go of them.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return unsafe.Pointer(&nothing)
	}
	// Nothing in the contract needs more than the 8 bytes at which words lie.
	words := make([]uint64, (size+7)/8)
	start := unsafe.Pointer(unsafe.SliceData(words))
	if uintptr(start)%align != 0 {
		panic("the memory is not aligned")
	}
	pinner.Pin(start)
	return start
}

// Unpin lets go of the arguments: from here on the policy's own references keep them.
func Unpin() {
	arguments.Unpin()
}

//go:wasmexport cabi_realloc
func reallocate(old unsafe.Pointer, oldSize, align, newSize uint32) unsafe.Pointer {
	start := Allocate(&arguments, uintptr(newSize), uintptr(align))
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(start), newSize), unsafe.Slice((*byte)(old), oldSize))
	}
	return start
}
