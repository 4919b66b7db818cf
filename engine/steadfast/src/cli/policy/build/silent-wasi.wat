;; WASI preview 1 as a policy gets it: nothing is there, and nothing comes in from outside.
;; Functions of a compiler's runtime that a module imports are linked to these, within the component; the rest is left out.
(module
  ;; Where the contract has a way to print, it is imported here; where it has none, this does nothing.
  (import "PRINT" "print" (func $print (param i32 i32)))
  (import "env" "memory" (memory 0))

  ;; The clock stands at its first nanosecond; Go's runtime takes 0 for a broken one.
  (func (export "clock_time_get") (param i32 i64) (param $time i32) (result i32)
    (i64.store (local.get $time) (i64.const 1))
    (i32.const 0))
  (func (export "clock_res_get") (param i32) (param $resolution i32) (result i32)
    (i64.store (local.get $resolution) (i64.const 1))
    (i32.const 0))

  ;; Every random byte is 0.
  (func (export "random_get") (param $bytes i32) (param $length i32) (result i32)
    (memory.fill (local.get $bytes) (i32.const 0) (local.get $length))
    (i32.const 0))

  ;; No arguments, no environment.
  (func $none (export "args_sizes_get") (export "environ_sizes_get") (param $count i32) (param $size i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $size) (i32.const 0))
    (i32.const 0))
  (func (export "args_get") (export "environ_get") (param i32 i32) (result i32) (i32.const 0))

  ;; What is written to standard output or standard error is printed, 4 KiB at a time: no more is kept of it, and what a call hands
  ;; to the engine at once has a limit.
  (func (export "fd_write") (param $file i32) (param $vectors i32) (param $count i32) (param $written i32) (result i32)
    (local $sum i32) (local $at i32) (local $left i32) (local $part i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (if (i32.lt_u (local.get $file) (i32.const 3))
          (then
            (local.set $at (i32.load (local.get $vectors)))
            (local.set $left (i32.load offset=4 (local.get $vectors)))
            (block $printed
              (loop $more
                (br_if $printed (i32.eqz (local.get $left)))
                (local.set $part
                  (select (local.get $left) (i32.const 4096) (i32.lt_u (local.get $left) (i32.const 4096))))
                (call $print (local.get $at) (local.get $part))
                (local.set $at (i32.add (local.get $at) (local.get $part)))
                (local.set $left (i32.sub (local.get $left) (local.get $part)))
                (br $more)))))
        (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $vectors))))
        (local.set $vectors (i32.add (local.get $vectors) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $sum))
    (i32.const 0))

  ;; Both are a terminal, so that the C library writes each line when it ends, before the next one may trap.
  (func (export "fd_fdstat_get") (param $file i32) (param $stat i32) (result i32)
    (if (i32.gt_u (i32.sub (local.get $file) (i32.const 1)) (i32.const 1)) (then (return (i32.const 8))))
    ;; A character device, no flags; all that may be done with it is to write.
    (i64.store (local.get $stat) (i64.const 2))
    (i64.store offset=8 (local.get $stat) (i64.const 64))
    (i64.store offset=16 (local.get $stat) (i64.const 0))
    (i32.const 0))

  ;; No other file is open, and none can be opened: "bad file descriptor".
  (func (export "fd_close") (export "fd_datasync") (export "fd_sync") (param i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_set_flags") (export "fd_filestat_get") (export "fd_prestat_get")
    (export "fd_renumber") (export "fd_tell") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (export "path_create_directory") (export "path_remove_directory")
    (export "path_unlink_file") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_read") (param i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 8))

  ;; Nobody else is there to wait for.
  (func (export "sched_yield") (result i32) (i32.const 0))
  (func (export "poll_oneoff") (param i32 i32 i32) (param $events i32) (result i32)
    (i32.store (local.get $events) (i32.const 0))
    (i32.const 0))

  ;; The call into the policy ends here.
  (func (export "proc_exit") (param i32) (unreachable)))
