//! Puts the table of fates into the corpora, so that fuzzing starts from frames that go every way.

use std::path::Path;
use std::{fs, io};

use wire::testkit::fates;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for case in fates() {
        let name = case.name.replace(' ', "-");
        let parts = [("frame", 0), ("options", 42), ("inner", 82)];
        for (target, from) in parts {
            let directory = corpus.join(target);
            fs::create_dir_all(&directory)?;
            fs::write(directory.join(&name), case.frame.get(from..).unwrap_or_default())?;
        }
    }
    Ok(())
}
