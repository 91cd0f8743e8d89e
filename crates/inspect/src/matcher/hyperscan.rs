//! The safe side of Hyperscan: a compiled set of literals, and the room that one worker scans in.
//!
//! The only file of this crate with `unsafe` in it. What C asks of its callers is kept by types: a database is never
//! changed once compiled, a scratch is borrowed mutably while it is used, and was fitted to the database before.
// Calls into a C library; each block is one call, and says why it is sound.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Literal, MatcherError, ScanError};

/// Counts databases, so that a scratch can tell which it was fitted to.
static COMPILED: AtomicUsize = AtomicUsize::new(0);

/// A set of literals as the library compiled it.
#[derive(Debug)]
pub(super) struct Database {
    raw: NonNull<hs_sys::hs_database_t>,
    /// Its number among all that this process compiled.
    number: usize,
}

// SAFETY: nothing writes to a database after `compile` made it, and `hs_scan` takes it as const.
unsafe impl Send for Database {}
// SAFETY: as above.
unsafe impl Sync for Database {}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: `raw` came from the library, is freed here only, and nobody can scan with what is dropped.
        unsafe { hs_sys::hs_free_database(self.raw.as_ptr()) };
    }
}

/// Whether this processor can run the library (on x86: SSSE3).
pub(super) fn is_usable() -> bool {
    // SAFETY: the call takes nothing and only asks the processor.
    unsafe { hs_sys::hs_valid_platform() == hs_sys::HS_SUCCESS.cast_signed() }
}

impl Database {
    /// Compiles a set, each literal with its place as its number.
    pub(super) fn compile(literals: &[Literal]) -> Result<Self, MatcherError> {
        let count = c_uint::try_from(literals.len()).map_err(|_| MatcherError::TooMany(literals.len()))?;
        let texts: Vec<*const c_char> =
            literals.iter().map(|literal| literal.bytes.as_ptr().cast()).collect();
        let flags: Vec<c_uint> =
            literals.iter().map(|literal| c_uint::from(literal.nocase) * hs_sys::HS_FLAG_CASELESS).collect();
        let lengths: Vec<usize> = literals.iter().map(|literal| literal.bytes.len()).collect();
        let numbers: Vec<c_uint> = (0..count).collect();
        let (mut raw, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: four arrays of `count` elements that outlive the call, each text as long as `lengths` says; the
        // library copies what it keeps. No platform means the one that it runs on.
        let code = unsafe {
            hs_sys::hs_compile_lit_multi(
                texts.as_ptr(),
                flags.as_ptr(),
                numbers.as_ptr(),
                lengths.as_ptr(),
                count,
                hs_sys::HS_MODE_BLOCK,
                ptr::null(),
                &raw mut raw,
                &raw mut error,
            )
        };
        match NonNull::new(raw) {
            Some(raw) if code == hs_sys::HS_SUCCESS.cast_signed() => {
                Ok(Self { raw, number: COMPILED.fetch_add(1, Ordering::Relaxed) })
            }
            _ => Err(MatcherError::Refused(reason(error))),
        }
    }

    /// Bytes that it takes.
    pub(super) fn memory(&self) -> usize {
        let mut size = 0;
        // SAFETY: a database that the library made, and room for the answer, which stays 0 if there is none.
        unsafe { hs_sys::hs_database_size(self.raw.as_ptr(), &raw mut size) };
        size
    }

    /// Makes room for a scan. A failure is the scan's to tell.
    pub(super) fn fit(&self, scratch: &mut Scratch) {
        let _ = scratch.fitted_to(self);
    }

    /// Tells every literal that ends somewhere in the text, and where, ends ascending.
    #[inline]
    pub(super) fn scan<F: FnMut(u32, usize)>(
        &self,
        text: &[u8],
        scratch: &mut Scratch,
        mut found: F,
    ) -> Result<(), ScanError> {
        let length = c_uint::try_from(text.len()).map_err(|_| ScanError::TooLong)?;
        let room = scratch.fitted_to(self)?;
        // SAFETY: the database is whole, `room` was fitted to it and is borrowed for as long as the call, the text has
        // `length` bytes, and `tell::<F>` gets the very closure that it casts to.
        let code = unsafe {
            hs_sys::hs_scan(
                self.raw.as_ptr(),
                text.as_ptr().cast(),
                length,
                0,
                room.as_ptr(),
                Some(tell::<F>),
                (&raw mut found).cast(),
            )
        };
        match code == hs_sys::HS_SUCCESS.cast_signed() {
            true => Ok(()),
            false => Err(ScanError::Failed(code)),
        }
    }
}

/// What the library calls for each match.
unsafe extern "C" fn tell<F: FnMut(u32, usize)>(
    number: c_uint,
    _from: c_ulonglong,
    to: c_ulonglong,
    _flags: c_uint,
    found: *mut c_void,
) -> c_int {
    // SAFETY: `scan` passed a closure of this very type, which lives until the call ends and is used by nobody else.
    let found = unsafe { &mut *found.cast::<F>() };
    // An end lies within the text, whose length is a `usize`.
    found(number, usize::try_from(to).unwrap_or(usize::MAX));
    0
}

fn reason(error: *mut hs_sys::hs_compile_error_t) -> String {
    if error.is_null() {
        return "out of memory".to_owned();
    }
    // SAFETY: the library made the error, and it is freed below only.
    let message = unsafe { (*error).message };
    let text = match message.is_null() {
        true => String::new(),
        // SAFETY: a text that ends with a zero, as long as the error lives.
        false => unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned(),
    };
    // SAFETY: the error came from the library and is used no more.
    unsafe { hs_sys::hs_free_compile_error(error) };
    text
}

/// The room that one worker scans in, for all its matchers: it grows with the first scan of each, and then no more.
#[derive(Debug, Default)]
pub struct Scratch {
    raw: Option<NonNull<hs_sys::hs_scratch_t>>,
    /// One bit for each database that it was fitted to, by number.
    fitted: Vec<u64>,
}

// SAFETY: a scratch has no ties to the thread that made it; whoever owns it is the only one to use it.
unsafe impl Send for Scratch {}

impl Scratch {
    /// Bytes that it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let mut size = 0;
        if let Some(raw) = self.raw {
            // SAFETY: a scratch that the library made, and room for the answer.
            unsafe { hs_sys::hs_scratch_size(raw.as_ptr(), &raw mut size) };
        }
        size + self.fitted.capacity() * 8
    }

    #[inline]
    fn fitted_to(&mut self, database: &Database) -> Result<NonNull<hs_sys::hs_scratch_t>, ScanError> {
        let (word, bit) = (database.number / 64, 1 << (database.number % 64));
        match (self.raw, self.fitted.get(word)) {
            (Some(raw), Some(bits)) if bits & bit != 0 => Ok(raw),
            _ => self.fit(database, word, bit),
        }
    }

    #[cold]
    fn fit(
        &mut self,
        database: &Database,
        word: usize,
        bit: u64,
    ) -> Result<NonNull<hs_sys::hs_scratch_t>, ScanError> {
        let mut raw = self.raw.map_or(ptr::null_mut(), NonNull::as_ptr);
        // SAFETY: `raw` is null or a scratch of ours that nobody scans in, for we hold it mutably. If the library needs
        // more room it frees the old and gives us the new, or null if there is none; else it leaves `raw` as it is.
        let code = unsafe { hs_sys::hs_alloc_scratch(database.raw.as_ptr(), &raw mut raw) };
        self.raw = NonNull::new(raw);
        match self.raw {
            Some(grown) if code == hs_sys::HS_SUCCESS.cast_signed() => {
                if self.fitted.len() <= word {
                    self.fitted.resize(word + 1, 0);
                }
                self.fitted[word] |= bit;
                Ok(grown)
            }
            Some(_) => Err(ScanError::Failed(code)),
            None => {
                self.fitted.clear();
                Err(ScanError::Failed(code))
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(raw) = self.raw {
            // SAFETY: the scratch is ours, nobody scans in it, and it is freed here only.
            unsafe { hs_sys::hs_free_scratch(raw.as_ptr()) };
        }
    }
}
