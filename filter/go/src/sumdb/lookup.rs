//! One lookup in a checksum database, from question to question.

use super::key::VerifierKey;
use super::memory::Memory;
use super::note;
use super::proof::Proof;
use super::record::{Record, Sums};
use super::tile::{HASH, MAX_BYTES, Place, WIDTH};
use super::tlog::{Hash, Head, record_hash};
use crate::gomod::ModuleVersion;
use crate::goproxy::SumdbCall;

/// The most bytes of an answer that are read. A record and a signed head take some hundreds; a tile
/// takes 8,192.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// How often another worker may have seen another tree head meanwhile.
const MOST_RACES: u8 = 8;

/// A lookup that is under way.
#[derive(Debug)]
pub struct Lookup {
    module: ModuleVersion,
    /// The note of the last signed head that was seen; empty where there is none.
    kept: Vec<u8>,
    stage: Stage,
    races: u8,
}

#[derive(Debug)]
enum Stage {
    /// The record is awaited.
    Record,
    /// Tiles are awaited.
    Tiles {
        statement: Box<Statement>,
        proof: Proof,
        /// The smaller of the two heads, which the other one must contain.
        before: Option<Head>,
        /// Whether the head is larger than the one that was kept.
        newer: bool,
    },
    /// All is proved; it is awaited that the head is kept.
    Keeping(Box<Statement>),
    /// There is an answer.
    Ended,
}

/// The response of the database.
#[derive(Debug)]
struct Statement {
    note: Vec<u8>,
    head: Head,
    id: u64,
    hash: Hash,
    sums: Sums,
}

/// A query to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The record of the module version.
    Record,
    /// A tile, with so many hashes.
    Tile {
        /// Which.
        place: Place,
        /// 256 for a full one, which a database may have where it has a partial one no more.
        width: u64,
    },
}

/// What came of a question.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fetched<'a> {
    /// The status; `None` where no answer came.
    pub status: Option<u16>,
    /// The body; `None` where it is longer than [`Question::limit`].
    pub body: Option<&'a [u8]>,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// These are asked, all at once, and then [`Lookup::answered`] each. Where there are none, answers
    /// to earlier ones are still awaited.
    Ask(Vec<Question>),
    /// The note of the head is put in the place of the one that was kept, if that is still there; then
    /// [`Lookup::kept`], or [`Lookup::moved`] where it is another one by now.
    Keep {
        /// The note that was kept; empty where there was none.
        before: Vec<u8>,
        /// The one to be kept.
        now: Vec<u8>,
    },
    /// There is an answer.
    Done(Answer),
}

/// What a lookup came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These are the hashes, and everybody who queries this database gets the same.
    Proven(Sums),
    /// The database says that it has no such module version. Nobody signs that, so it proves nothing.
    NotFound,
    /// No answer came that says anything.
    Unavailable(String),
    /// The database contradicts itself or what was seen of it before, or cannot prove what it says.
    Refused(String),
}

impl Answer {
    /// The value of the label `result` of a lookup.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Proven(_) => "proven",
            Self::NotFound => "not_found",
            Self::Unavailable(_) => "unavailable",
            Self::Refused(_) => "refused",
        }
    }
}

impl Question {
    /// The most bytes of an answer that are read.
    pub const fn limit(&self) -> usize {
        match self {
            Self::Record => MAX_ANSWER_BYTES,
            Self::Tile { .. } => MAX_BYTES,
        }
    }
}

impl Lookup {
    /// Of a module version, by the note of the last signed head that was seen; empty where none was.
    pub const fn new(module: ModuleVersion, kept: Vec<u8>) -> Self {
        Self {
            module,
            kept,
            stage: Stage::Record,
            races: 0,
        }
    }

    /// The module version.
    pub const fn module(&self) -> &ModuleVersion {
        &self.module
    }

    /// The first step.
    pub fn begin(&self) -> Step {
        Step::Ask(vec![Question::Record])
    }

    /// The path of a question behind the database's address, with a leading slash.
    pub fn path(&self, question: Question) -> String {
        match question {
            Question::Tile { place, width } => place.path(width),
            Question::Record => {
                let call = SumdbCall::Lookup {
                    module: self.module.path().into(),
                    version: self.module.version().into(),
                };
                let mut path = String::new();
                call.write_canonical(&mut path);
                path
            }
        }
    }

    /// The step behind an answer.
    pub fn answered(
        &mut self,
        key: &VerifierKey,
        memory: &mut Memory,
        question: Question,
        fetched: Fetched<'_>,
    ) -> Step {
        let stage = std::mem::replace(&mut self.stage, Stage::Ended);
        let progress = match (stage, question) {
            (Stage::Record, Question::Record) => self.on_record(key, memory, fetched),
            (
                Stage::Tiles {
                    statement,
                    proof,
                    before,
                    newer,
                },
                Question::Tile { place, width },
            ) => self.on_tile(
                memory,
                (statement, proof, before, newer),
                (place, width),
                fetched,
            ),
            (stage, _) => {
                self.stage = stage;
                Ok(Step::Ask(Vec::new()))
            }
        };
        progress.unwrap_or_else(|answer| self.end(answer))
    }

    /// The head was kept.
    pub fn kept(&mut self, memory: &mut Memory) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Keeping(statement) => self.proven(memory, &statement),
            stage => {
                self.stage = stage;
                Step::Ask(Vec::new())
            }
        }
    }

    /// Another head was kept meanwhile: what was proved is proved anew against it.
    pub fn moved(&mut self, key: &VerifierKey, memory: &mut Memory, kept: Vec<u8>) -> Step {
        let stage = std::mem::replace(&mut self.stage, Stage::Ended);
        let Stage::Keeping(statement) = stage else {
            self.stage = stage;
            return Step::Ask(Vec::new());
        };
        self.kept = kept;
        self.races = self.races.saturating_add(1);
        if self.races > MOST_RACES {
            return self.end(unavailable("its tree head changes too often to be stored"));
        }
        let progress = self.prove(key, memory, statement);
        progress.unwrap_or_else(|answer| self.end(answer))
    }

    fn on_record(
        &mut self,
        key: &VerifierKey,
        memory: &mut Memory,
        fetched: Fetched<'_>,
    ) -> Result<Step, Answer> {
        if let Some(404 | 410) = fetched.status {
            return Err(Answer::NotFound);
        }
        let record = Record::parse(body(fetched)?).map_err(refused)?;
        let head = open(record.note, key)?;
        if record.id >= head.size {
            return Err(refused("its record is outside of its tree"));
        }
        let statement = Statement {
            note: record.note.to_vec(),
            head,
            id: record.id,
            hash: record_hash(record.text.as_bytes()),
            sums: record.sums(&self.module).map_err(refused)?,
        };
        self.prove(key, memory, Box::new(statement))
    }

    /// Wants the tiles that prove a statement, all of one tree: the larger of the two.
    fn prove(
        &mut self,
        key: &VerifierKey,
        memory: &mut Memory,
        statement: Box<Statement>,
    ) -> Result<Step, Answer> {
        let head = statement.head;
        let kept = if self.kept.is_empty() {
            None
        } else {
            let kept = open(&self.kept, key);
            Some(kept.map_err(|_| unavailable("the stored tree head cannot be read"))?)
        };
        let (tree, before) = match kept {
            None => (head, None),
            Some(kept) if kept.size > head.size => (kept, Some(head)),
            Some(kept) if kept.size < head.size => (head, Some(kept)),
            Some(kept) if kept == head => (head, None),
            Some(_) => return Err(forked()),
        };
        // The empty tree begins every other.
        let before = before.filter(|before| before.size > 0);
        let mut proof = Proof::new(tree, statement.id, before.map(|before| before.size));
        let wanted: Vec<Place> = proof.missing().collect();
        for place in wanted {
            let bytes = bytes_of(proof.width(place));
            if let Some(known) = memory.tile(place, bytes) {
                proof.supply(place, known).map_err(|_| forged())?;
            }
        }
        let questions: Vec<Question> = proof
            .missing()
            .map(|place| Question::Tile {
                place,
                width: proof.width(place),
            })
            .collect();
        let newer = kept.is_none_or(|kept| head.size > kept.size);
        if questions.is_empty() {
            return self.conclude(memory, statement, proof, before, newer);
        }
        self.stage = Stage::Tiles {
            statement,
            proof,
            before,
            newer,
        };
        Ok(Step::Ask(questions))
    }

    fn on_tile(
        &mut self,
        memory: &mut Memory,
        (statement, mut proof, before, newer): (Box<Statement>, Proof, Option<Head>, bool),
        (place, width): (Place, u64),
        fetched: Fetched<'_>,
    ) -> Result<Step, Answer> {
        let own = proof.width(place);
        let mut ask = Vec::new();
        match fetched.status {
            Some(404 | 410) if width < WIDTH => ask.push(Question::Tile {
                place,
                width: WIDTH,
            }),
            _ => {
                let body = body(fetched)?;
                if body.len() != bytes_of(width) {
                    return Err(refused("it sent a tile of the wrong size"));
                }
                // Of a full tile that stands in for a partial one, only what this tree has.
                let own = body.get(..bytes_of(own)).ok_or_else(forged)?;
                proof.supply(place, own).map_err(|_| forged())?;
            }
        }
        if proof.missing().next().is_none() {
            return self.conclude(memory, statement, proof, before, newer);
        }
        self.stage = Stage::Tiles {
            statement,
            proof,
            before,
            newer,
        };
        Ok(Step::Ask(ask))
    }

    /// All tiles are there.
    fn conclude(
        &mut self,
        memory: &mut Memory,
        statement: Box<Statement>,
        proof: Proof,
        before: Option<Head>,
        newer: bool,
    ) -> Result<Step, Answer> {
        let authentic = proof.authenticate().map_err(|_| forged())?;
        if let Some(before) = before {
            if authentic.root(before.size) != Some(before.root) {
                return Err(forked());
            }
        }
        if authentic.record(statement.id) != Some(statement.hash) {
            return Err(refused("its record differs from the one in its tree"));
        }
        memory.keep(&authentic);
        if !newer {
            return Ok(self.proven(memory, &statement));
        }
        let step = Step::Keep {
            before: self.kept.clone(),
            now: statement.note.clone(),
        };
        self.stage = Stage::Keeping(statement);
        Ok(step)
    }

    fn proven(&mut self, memory: &mut Memory, statement: &Statement) -> Step {
        memory.note(&self.module, statement.sums);
        self.end(Answer::Proven(statement.sums))
    }

    fn end(&mut self, answer: Answer) -> Step {
        self.stage = Stage::Ended;
        Step::Done(answer)
    }
}

/// The head in a note that the key has signed.
fn open(note: &[u8], key: &VerifierKey) -> Result<Head, Answer> {
    let text = note::open(note, key).map_err(refused)?;
    Head::parse(text).ok_or_else(|| refused("the signed text is not a valid tree head"))
}

/// The body of a good answer.
fn body(fetched: Fetched<'_>) -> Result<&[u8], Answer> {
    match (fetched.status, fetched.body) {
        (Some(200), Some(body)) => Ok(body),
        (Some(200), None) => Err(refused("its response is too long")),
        (Some(status), _) => Err(unavailable(&format!("it responded with status {status}"))),
        (None, _) => Err(unavailable("it did not respond")),
    }
}

/// How many bytes so many hashes take.
fn bytes_of(width: u64) -> usize {
    usize::try_from(width).map_or(usize::MAX, |width| width.saturating_mul(HASH))
}

fn forged() -> Answer {
    refused("its tiles do not match its signed tree head")
}

fn forked() -> Answer {
    refused("its tree is inconsistent with the one seen before")
}

fn refused(reason: impl ToString) -> Answer {
    Answer::Refused(reason.to_string())
}

fn unavailable(reason: &str) -> Answer {
    Answer::Unavailable(reason.to_owned())
}
