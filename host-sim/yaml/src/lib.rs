//! YAML, and JSON, which is YAML too: read with the line and column of everything in it, and written so
//! that readers of YAML 1.1 and of YAML 1.2 take it for the same.
//!
//! In a document that [`parse`] reads, scalars without quotes are what YAML 1.1 makes of them, as Kubernetes
//! reads it: `on` is a boolean. [`from_str`] knows which type is wanted, and takes `on` for text elsewhere.
//! Aliases and merge keys (`<<`) are resolved. Values nested too deep, and aliases that add up to too
//! much, are refused.
//!
//! ```
//! let documents = plain_yaml::parse("a: [1, on]\n---\nb: text\n").unwrap();
//! assert_eq!(documents[0].value(), serde_json::json!({"a": [1, true]}));
//! assert_eq!(documents[1].get("b").unwrap().at.column, 4);
//!
//! let sizes: std::collections::BTreeMap<String, u8> = plain_yaml::from_str("a: 1\nb: 2\n").unwrap();
//! assert_eq!(sizes["b"], 2);
//! let error = plain_yaml::from_str::<Vec<u8>>("- 1\n- x\n").unwrap_err().to_string();
//! assert_eq!(error, "[1]: invalid type: string \"x\", expected u8 at line 2 column 3");
//!
//! let text = plain_yaml::to_string(&serde_json::json!({"answer": "no"})).unwrap();
//! assert_eq!(text, "answer: 'no'\n");
//! ```

mod de;
mod key;
mod node;
mod parse;
mod quote;
mod scalar;
mod write;

pub use de::from_str;
pub use node::{Kind, Member, Node, Position, Problem, Writing};
pub use parse::parse;
pub use write::to_string;
