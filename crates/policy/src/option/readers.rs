//! How single keywords are read, where a line in the list of keywords does not say it all.

use std::ops::RangeInclusive;

use crate::fault::{Fault, Why};
use crate::option::app::AppTest;
use crate::option::buffer::Buffer;
use crate::option::content::{Content, FastPattern};
use crate::option::draft::{Draft, Meaning};
use crate::option::field::{Amount, Comparison, Field};
use crate::option::flow::{FlowAmount, FlowSize, Way};
use crate::option::packet::PacketTest;
use crate::option::pcre::Pcre;
use crate::option::raw::RawOption;
use crate::option::transform::Transform;
use crate::option::{PayloadTest, RuleOption};

type Reading = Result<Meaning, Fault>;

/// The draft has taken it in already.
pub(crate) fn done((): ()) -> Meaning {
    Meaning::Done
}

pub(crate) fn packet(test: PacketTest) -> Meaning {
    Meaning::Option(RuleOption::Packet(test))
}

pub(crate) fn app(test: AppTest) -> Meaning {
    Meaning::Option(RuleOption::App(test))
}

/// A mark, or the old way to write `noalert`.
pub(crate) fn mark_or_noalert<T>(bits: Option<T>, option: fn(T) -> RuleOption) -> Meaning {
    Meaning::Option(bits.map_or(RuleOption::NoAlert, option))
}

pub(crate) fn alone(option: &RawOption<'_>, meaning: RuleOption) -> Reading {
    option.alone()?;
    Ok(Meaning::Option(meaning))
}

pub(crate) fn content_in(buffer: Buffer, option: &RawOption<'_>) -> Reading {
    Ok(Meaning::TestIn(buffer, PayloadTest::Content(Content::parse(option)?)))
}

/// A modifier that is there or not.
pub(crate) fn mark(
    draft: &mut Draft,
    option: &RawOption<'_>,
    slot: fn(&mut Content) -> &mut bool,
) -> Reading {
    option.alone()?;
    let change = |content: &mut Content| match std::mem::replace(slot(content), true) {
        true => Err(Why::Twice),
        false => Ok(()),
    };
    draft.modify(option.at, change).map(done)
}

/// A modifier with a number of bytes.
pub(crate) fn place(
    draft: &mut Draft,
    option: &RawOption<'_>,
    range: RangeInclusive<i64>,
    slot: fn(&mut Content) -> &mut Option<Amount>,
) -> Reading {
    let amount = draft.names.amount(Field::of(option, "a number of bytes")?, range)?;
    let change = |content: &mut Content| match slot(content).replace(amount) {
        Some(_) => Err(Why::Twice),
        None => Ok(()),
    };
    draft.modify(option.at, change).map(done)
}

/// Raw bytes are what we look at anyway.
pub(crate) fn rawbytes(draft: &mut Draft, option: &RawOption<'_>) -> Reading {
    option.alone()?;
    draft.modify(option.at, |_| Ok(())).map(done)
}

pub(crate) fn fast_pattern(draft: &mut Draft, option: &RawOption<'_>) -> Reading {
    let expected = "`only`, or `offset,length` of a piece";
    let meaning = match option.value {
        None => FastPattern::Whole,
        Some(b"only") => FastPattern::Only,
        Some(_) => {
            let fields = Field::list(option, expected)?;
            let number = |field: &Field<'_>, lowest| {
                let number = field.number(lowest..=u16::MAX.into(), expected)?;
                u16::try_from(number).map_err(|_| field.wrong(expected))
            };
            match fields.as_slice() {
                [offset, length] => FastPattern::Piece(number(offset, 0)?, number(length, 1)?),
                _ => return Err(option.wrong(expected)),
            }
        }
    };
    draft.take_fast_pattern(option.at)?;
    draft
        .modify(option.at, |content| {
            content.fast_pattern = Some(meaning);
            Ok(())
        })
        .map(done)
}

pub(crate) fn pcre(_: &mut Draft, option: &RawOption<'_>) -> Reading {
    let (pcre, buffer) = Pcre::parse(option)?;
    let test = PayloadTest::Pcre(pcre);
    Ok(match buffer {
        Some(buffer) => Meaning::TestIn(buffer, test),
        None => Meaning::Test(test),
    })
}

pub(crate) fn bsize(draft: &mut Draft, option: &RawOption<'_>) -> Reading {
    if draft.chosen().is_none() {
        let why = Why::Conflict("bsize measures a buffer, and none is chosen");
        return Err(Fault::new(option.at, why).suggest(Some("dsize measures a packet's payload".to_owned())));
    }
    let expected = "a comparison with a number of bytes";
    let compares = Comparison::parse(Field::of(option, expected)?, u32::MAX.into(), expected)?;
    Ok(Meaning::Test(PayloadTest::Size(compares)))
}

pub(crate) fn urilen(_: &mut Draft, option: &RawOption<'_>) -> Reading {
    let expected = "a comparison with a number of bytes, and perhaps `norm` or `raw`";
    let fields = Field::list(option, expected)?;
    let (length, buffer) = match fields.as_slice() {
        [length] => (length, Buffer::HttpUriRaw),
        [length, word] => {
            let words = [("norm", Buffer::HttpUri), ("raw", Buffer::HttpUriRaw)];
            (length, word.choice(&words, "norm or raw")?)
        }
        _ => return Err(option.wrong(expected)),
    };
    Ok(Meaning::TestIn(buffer, PayloadTest::Size(Comparison::parse(*length, 65_535, expected)?)))
}

pub(crate) fn isdataat(draft: &mut Draft, option: &RawOption<'_>) -> Reading {
    let expected = "`[!]bytes[,relative]`";
    let fields = Field::list(option, expected)?;
    let Some((first, words)) = fields.split_first() else { return Err(option.wrong(expected)) };
    let (negated, first) = first.negation();
    let at = draft.names.amount(first, 0..=65_535)?;
    let mut relative = false;
    for word in words {
        relative |= word.choice(&[("relative", true), ("rawbytes", false)], "relative")?;
    }
    Ok(Meaning::Test(PayloadTest::DataAt { negated, at, relative }))
}

pub(crate) fn absent(draft: &mut Draft, option: &RawOption<'_>) -> Reading {
    let or_else = match option.value {
        None => false,
        Some(b"or_else") => true,
        Some(_) => return Err(option.wrong("`or_else`, or nothing")),
    };
    match draft.chosen() {
        Some(_) => Ok(Meaning::Test(PayloadTest::Absent { or_else })),
        None => Err(Fault::new(option.at, Why::Conflict("absent is about a buffer, and none is chosen"))),
    }
}

pub(crate) fn plain_transform(_: &mut Draft, option: &RawOption<'_>) -> Reading {
    Transform::plain(option).map(Meaning::Transform)
}

pub(crate) fn flow_size(option: &RawOption<'_>, amount: FlowAmount) -> Reading {
    FlowSize::flow(option, amount).map(RuleOption::FlowSize).map(Meaning::Option)
}

pub(crate) fn flow_age(_: &mut Draft, option: &RawOption<'_>) -> Reading {
    let expected = "a comparison with a number of seconds";
    let age = Comparison::parse(Field::of(option, expected)?, u32::MAX.into(), expected)?;
    Ok(Meaning::Option(RuleOption::FlowAge(age)))
}

pub(crate) fn packet_number(_: &mut Draft, option: &RawOption<'_>) -> Reading {
    PacketTest::number(option).map(packet)
}

pub(crate) fn choose_buffer(draft: &mut Draft, option: &RawOption<'_>, buffer: Buffer) -> Reading {
    let ways = [Way::ToServer, Way::ToClient].map(|way| (way.name(), way));
    let expected = "to_server or to_client, in a rule with `=>`";
    let way = match option.value {
        Some(_) if !buffer.is_packet_header() && buffer != Buffer::Payload => {
            Some(Field::of(option, expected)?.choice(&ways, expected)?)
        }
        _ => {
            option.alone()?;
            None
        }
    };
    draft.choose(buffer, way, option.at);
    Ok(Meaning::Done)
}

pub(crate) fn move_to_buffer(draft: &mut Draft, option: &RawOption<'_>, buffer: Buffer) -> Reading {
    option.alone()?;
    draft.move_last(buffer, option.at).map(done)
}

pub(crate) fn opaque(option: &RawOption<'_>, keyword: &'static str) -> Meaning {
    let value = option.value.map(|value| String::from_utf8_lossy(value).into_owned());
    Meaning::Option(RuleOption::Opaque { keyword, value })
}
