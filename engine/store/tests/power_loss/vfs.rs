//! A layer under SQLite: it notes what is written, and fails where it is told to. SQLite's own layer for Unix does the work.
//!
//! It becomes the default of this test's process, so that the store under it is the one that everybody has. Of what is synced it
//! only takes note: this process does not lose power, and to wait for a disk would be all that the tests do.
//!
//! Rejected: *the crate `sqlite-plugin`*, with which a whole file system is written anew, its locks and its shared memory too, where
//! this one only looks on.
#![expect(unsafe_code, reason = "SQLite calls its file system through C functions")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::sync::{Arc, Once, OnceLock};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use super::disk::{Call, Disk, Op};

/// Puts the layer under all stores that this process opens from now on.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: SQLite is initialised by the first call, and gives its default layer, which lives for ever.
        let real = unsafe {
            assert_eq!(ffi::sqlite3_initialize(), ffi::SQLITE_OK);
            &*ffi::sqlite3_vfs_find(std::ptr::null())
        };
        let own = sqlite3_vfs {
            szOsFile: real.szOsFile + c_int::try_from(size_of::<File>()).unwrap(),
            zName: c"noting".as_ptr(),
            xOpen: Some(open),
            xDelete: Some(delete),
            ..*real
        };
        assert!(REAL.set(Real(real)).is_ok());
        // SAFETY: it is never freed, and what it does not replace works on the real layer's own data.
        let registered = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(own)), 1) };
        assert_eq!(registered, ffi::SQLITE_OK);
    });
}

static REAL: OnceLock<Real> = OnceLock::new();

struct Real(&'static sqlite3_vfs);

// SAFETY: SQLite itself calls it from any thread.
unsafe impl Send for Real {}
// SAFETY: as above.
unsafe impl Sync for Real {}

fn layer() -> (&'static sqlite3_vfs, *mut sqlite3_vfs) {
    let Real(real) = REAL.get().unwrap();
    (real, std::ptr::from_ref(*real).cast_mut())
}

/// SQLite gives room for this and the real file behind it.
#[repr(C)]
struct File {
    base: sqlite3_file,
    handle: *mut Handle,
}

/// A file that is open.
struct Handle {
    name: String,
    /// `None`: nobody watches.
    disk: Option<Arc<Disk>>,
}

impl Handle {
    /// What becomes of a call: the code with which it fails, or what `goes` says. `op` is noted if it went well.
    fn call(&self, call: Call, op: Option<Op>, goes: impl FnOnce() -> c_int) -> c_int {
        let Some(disk) = &self.disk else { return goes() };
        if let Some(code) = disk.failure(call, &self.name) {
            return code;
        }
        let code = goes();
        if code == ffi::SQLITE_OK
            && let Some(op) = op
        {
            disk.note(op);
        }
        code
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Without the third: pages of the file in memory, which the store does not ask for.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// # Safety
/// `file` is one that [`open`] made.
unsafe fn real(file: *mut sqlite3_file) -> (*mut sqlite3_file, &'static sqlite3_io_methods) {
    // SAFETY: the real file lies behind ours, and has its methods since it was opened.
    unsafe {
        let real = file.cast::<File>().add(1).cast::<sqlite3_file>();
        (real, &*(*real).pMethods)
    }
}

/// # Safety
/// `file` is one that [`open`] made, and that is not closed.
unsafe fn handle<'a>(file: *mut sqlite3_file) -> &'a Handle {
    // SAFETY: `open` put it there, and `close` takes it.
    unsafe { &*(*file.cast::<File>()).handle }
}

/// The file's name and who watches its folder.
///
/// # Safety
/// `name` is null or a C string.
unsafe fn named(name: *const c_char) -> Handle {
    let path = if name.is_null() {
        String::new()
    } else {
        // SAFETY: the caller's.
        unsafe { CStr::from_ptr(name) }.to_str().unwrap().to_owned()
    };
    let path = Path::new(&path);
    Handle {
        name: path
            .file_name()
            .map_or_else(String::new, |name| name.to_str().unwrap().to_owned()),
        disk: path.parent().and_then(Disk::of),
    }
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let (real, itself) = layer();
    // SAFETY: SQLite gives as much room as `szOsFile` asks for, and a name that lives as long as the file.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let own = named(name);
        let is_new = !name.is_null() && !Path::new(CStr::from_ptr(name).to_str().unwrap()).exists();
        let created = is_new.then(|| Op::Created(own.name.clone()));
        let behind = file.cast::<File>().add(1).cast::<sqlite3_file>();
        let code = own.call(Call::Open, created, || {
            real.xOpen.unwrap()(itself, name, behind, flags, out)
        });
        if code == ffi::SQLITE_OK {
            (*file.cast::<File>()).handle = Box::into_raw(Box::new(own));
            (*file).pMethods = &raw const METHODS;
        }
        code
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    let (real, itself) = layer();
    // SAFETY: SQLite's own arguments.
    unsafe {
        let own = named(name);
        let deleted = Op::Deleted {
            file: own.name.clone(),
            folder_synced: sync_folder != 0,
        };
        own.call(Call::Delete, Some(deleted), || real.xDelete.unwrap()(itself, name, 0))
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite's own argument, and its last call with it.
    unsafe {
        drop(Box::from_raw((*file.cast::<File>()).handle));
        let (file, methods) = real(file);
        methods.xClose.unwrap()(file)
    }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, amount: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let (below, methods) = real(file);
        handle(file).call(Call::Read, None, || methods.xRead.unwrap()(below, to, amount, at))
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, amount: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: SQLite's own arguments: `from` has `amount` bytes.
    unsafe {
        let (below, methods) = real(file);
        let own = handle(file);
        let bytes = std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(amount).unwrap());
        let op = Op::Write {
            file: own.name.clone(),
            at: usize::try_from(at).unwrap(),
            bytes: bytes.to_vec(),
        };
        own.call(Call::Write, Some(op), || {
            methods.xWrite.unwrap()(below, from, amount, at)
        })
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let (below, methods) = real(file);
        let own = handle(file);
        let op = Op::Truncate {
            file: own.name.clone(),
            size: usize::try_from(size).unwrap(),
        };
        own.call(Call::Truncate, Some(op), || methods.xTruncate.unwrap()(below, size))
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite's own argument.
    let own = unsafe { handle(file) };
    own.call(Call::Sync, Some(Op::Sync(own.name.clone())), || ffi::SQLITE_OK)
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let (below, methods) = real(file);
        handle(file).call(Call::Size, None, || methods.xFileSize.unwrap()(below, size))
    }
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let (below, methods) = real(file);
        handle(file).call(Call::Lock, None, || methods.xLock.unwrap()(below, level))
    }
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let (file, methods) = real(file);
        methods.xUnlock.unwrap()(file, level)
    }
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let (file, methods) = real(file);
        methods.xCheckReservedLock.unwrap()(file, out)
    }
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, op: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let (file, methods) = real(file);
        methods.xFileControl.unwrap()(file, op, argument)
    }
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite's own argument.
    unsafe {
        let (file, methods) = real(file);
        methods.xSectorSize.unwrap()(file)
    }
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite's own argument.
    unsafe {
        let (file, methods) = real(file);
        methods.xDeviceCharacteristics.unwrap()(file)
    }
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let (below, methods) = real(file);
        let goes = || methods.xShmMap.unwrap()(below, region, size, extend, out);
        handle(file).call(Call::ShmMap, None, goes)
    }
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let (below, methods) = real(file);
        let goes = || methods.xShmLock.unwrap()(below, offset, count, flags);
        // To give a lock back does not fail.
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            return goes();
        }
        handle(file).call(Call::ShmLock, None, goes)
    }
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: SQLite's own argument.
    unsafe {
        let (file, methods) = real(file);
        methods.xShmBarrier.unwrap()(file);
    }
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let (file, methods) = real(file);
        methods.xShmUnmap.unwrap()(file, delete)
    }
}
