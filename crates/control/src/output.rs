//! Where lines go: a file that is set aside when it is large, a stream socket, or a writer of the caller's.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{EventOutput, Rotation};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// How long a listener may take before its line is given up, and the connection with it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where lines go.
pub(crate) enum Output {
    /// Lines are let fall.
    Off,
    Writer(Box<dyn Write + Send>),
    File(LogFile),
    Socket(Socket),
}

impl Output {
    /// Open what the operator wants.
    pub(crate) fn open(output: &EventOutput, rotation: Rotation) -> io::Result<Self> {
        Ok(match output {
            EventOutput::Off => Self::Off,
            EventOutput::Stdout => Self::Writer(Box::new(BufWriter::new(io::stdout()))),
            EventOutput::File(path) => Self::File(LogFile::open(path.clone(), rotation)?),
            EventOutput::Socket(path) => Self::Socket(Socket { path: path.clone(), stream: None }),
        })
    }

    pub(crate) fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }

    /// Write one line, its end included.
    pub(crate) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Off => Ok(()),
            Self::Writer(writer) => writer.write_all(line),
            Self::File(file) => file.write(line),
            Self::Socket(socket) => socket.write(line),
        }
    }

    /// Let go of what is buffered.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Off => Ok(()),
            Self::Writer(writer) => writer.flush(),
            Self::File(file) => file.out.flush(),
            Self::Socket(socket) => socket.flush(),
        }
    }

    /// Begin anew under the same name: somebody has set the file aside.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => {
                file.out.flush()?;
                *file = LogFile::open(file.path.clone(), file.rotation)?;
                Ok(())
            }
            _ => self.flush(),
        }
    }
}

/// A file that is appended to, or a named pipe: then a line waits for its reader.
pub(crate) struct LogFile {
    path: PathBuf,
    rotation: Rotation,
    out: BufWriter<File>,
    bytes: u64,
}

impl LogFile {
    fn open(path: PathBuf, rotation: Rotation) -> io::Result<Self> {
        // Whoever opens a named pipe to write waits for its reader; who would read as well does not.
        let is_pipe = fs::metadata(&path).is_ok_and(|known| known.file_type().is_fifo());
        let file = File::options().append(true).read(is_pipe).create(true).open(&path)?;
        let rotation = if is_pipe { Rotation { bytes: 0, ..rotation } } else { rotation };
        let bytes = file.metadata()?.len();
        Ok(Self { path, rotation, out: BufWriter::new(file), bytes })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let len = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.rotation.bytes > 0 && self.bytes > 0 && self.bytes.saturating_add(len) > self.rotation.bytes {
            self.set_aside()?;
        }
        self.out.write_all(line)?;
        self.bytes = self.bytes.saturating_add(len);
        Ok(())
    }

    /// NAME.1 becomes NAME.2 and so on, the oldest goes, NAME becomes NAME.1.
    fn set_aside(&mut self) -> io::Result<()> {
        self.out.flush()?;
        for nth in (1..self.rotation.kept).rev() {
            let older = nth.saturating_add(1);
            match fs::rename(numbered(&self.path, nth), numbered(&self.path, older)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, numbered(&self.path, 1))?;
        *self = Self::open(self.path.clone(), self.rotation)?;
        Ok(())
    }
}

fn numbered(path: &Path, nth: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{nth}"));
    name.into()
}

/// A stream socket that somebody may listen on, or not yet, or no more.
pub(crate) struct Socket {
    path: PathBuf,
    stream: Option<BufWriter<UnixStream>>,
}

impl Socket {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.stream.is_none() {
            self.stream = Some(BufWriter::new(connected(&self.path)?));
        }
        self.with(|stream| stream.write_all(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(Write::flush)
    }

    /// Do something with the stream, if there is one. After a failure a part of a line may be under way: the next line
    /// begins a new connection.
    fn with(&mut self, act: impl FnOnce(&mut BufWriter<UnixStream>) -> io::Result<()>) -> io::Result<()> {
        let done = self.stream.as_mut().map_or(Ok(()), act);
        if done.is_err()
            && let Some(stream) = self.stream.take()
        {
            // Without writing what is left: nobody reads it.
            drop(stream.into_parts());
        }
        done
    }
}

/// A connection to who listens there. Not waited for: if that one accepts nobody and too many wait already, it is an error.
fn connected(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}
