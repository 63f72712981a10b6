//! The interfaces of `isobar:procedure@0.1.0` as wit-bindgen makes them. [`crate::sql`] and [`crate::log`] are easier
//! to call; the types are the same.

mod generated {
    wit_bindgen::generate!({
        path: "wit",
        world: "procedure",
        additional_derives: [PartialEq],
        additional_derives_ignore: ["rows"],
    });
}

pub use generated::isobar::procedure::{context, log, sql, types};
