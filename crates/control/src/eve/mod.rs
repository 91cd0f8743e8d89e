//! The shape of what is told: records as Suricata's EVE log has them (its user guide, "Eve JSON Format"), so that what
//! reads that reads this. What only a GWLB has stands under `gwlb`.

mod app;
mod dns;
mod line;
mod list;
mod parts;
mod stats;

pub use app::app_name;
pub(crate) use app::{anomaly, app};
pub use line::flow_id;
pub(crate) use line::{Line, wrapped};
pub(crate) use list::list;
pub(crate) use parts::{alert_of, alert_part, merge, tallies};
pub(crate) use stats::stats;
