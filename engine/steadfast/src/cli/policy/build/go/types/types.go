// Package types holds what the contract's bindings use beside the contract's own types.
package types

// Which side a Result has.
const (
	ResultOk  uint8 = 0
	ResultErr uint8 = 1
)

// Unit is nothing: the value of a Result that carries none.
type Unit struct{}

// Option is a value, or none.
type Option[T any] struct {
	value   T
	present bool
}

// Some is an Option with a value.
func Some[T any](value T) Option[T] { return Option[T]{value, true} }

// None is an Option without one.
func None[T any]() Option[T] { return Option[T]{} }

// IsSome tells whether there is a value.
func (option Option[T]) IsSome() bool { return option.present }

// IsNone tells whether there is none.
func (option Option[T]) IsNone() bool { return !option.present }

// Some is the value. Calling it on None is a mistake of the policy, and ends the call.
func (option Option[T]) Some() T {
	if !option.present {
		panic("Some of an option that is None; ask IsSome first")
	}
	return option.value
}

// SomeOr is the value, or the fallback.
func (option Option[T]) SomeOr(fallback T) T {
	if option.present {
		return option.value
	}
	return fallback
}

// Result is a value or an error.
type Result[T, E any] struct {
	value T
	err   E
	tag   uint8
}

// Ok is a Result with a value.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{value: value, tag: ResultOk} }

// Err is a Result with an error.
func Err[T, E any](err E) Result[T, E] { return Result[T, E]{err: err, tag: ResultErr} }

// Tag is ResultOk or ResultErr.
func (result Result[T, E]) Tag() uint8 { return result.tag }

// Ok is the value, which stands only where Tag is ResultOk.
func (result Result[T, E]) Ok() T { return result.value }

// Err is the error, which stands only where Tag is ResultErr.
func (result Result[T, E]) Err() E { return result.err }
