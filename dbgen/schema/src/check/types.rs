//! Composites and enums: complete, finite and small enough.

use crate::diagnostic::{Finding, code};
use crate::field_type::Type;
use crate::layout::size_of;
use crate::limits::{RECORD_BYTES_MAX, TYPE_DEPTH_MAX};
use crate::model::{Composite, CompositeIdx, EnumIdx, Enumeration, Variant};
use crate::raw::{RawEnum, RawVariant};
use crate::source::{At, shown};

use super::Checker;
use super::graph::Graph;
use super::resolve::Place;
use super::tables::Renames;

impl Checker<'_> {
    /// Fills the schema's composites and enums.
    pub(super) fn types(&mut self) {
        let raw = self.raw;
        for composite in &raw.composites {
            let mut renames = Renames::new(composite.fields.iter().map(|field| &field.name));
            for field in &composite.fields {
                renames.check(field.renamed_from.as_ref(), field.id.as_ref(), "field", self.report);
            }
            let fields: Vec<_> = composite.fields.iter().map(|field| self.field(field, Place::Inside)).collect();
            self.sound.composites.push(fields.iter().all(|(_, sound)| *sound));
            self.schema.composites.push(Composite {
                name: composite.name.value.clone(),
                description: composite.description.clone(),
                fields: fields.into_iter().map(|(field, _)| field).collect(),
            });
            if composite.is_empty {
                let message = format!("the type `{}` has no fields", shown(&composite.name.value));
                self.report.push(Finding::error(code::EMPTY_TYPE, &composite.name.span, message));
            }
        }
        for enumeration in &raw.enums {
            self.enumeration(enumeration);
        }
        self.order_types();
    }

    fn enumeration(&mut self, raw: &RawEnum) {
        let mut sound = true;
        let mut variants: Vec<Variant> = Vec::with_capacity(raw.variants.len());
        let mut taken = std::collections::HashMap::new();
        for variant in &raw.variants {
            let number = self.variant_number(variant, variants.last().map(|before| before.number));
            if let Some(first) = taken.insert(number, variant.name.span.clone()) {
                let message = format!("the number {number} is taken");
                let span = variant.number.as_ref().map_or(&variant.name.span, |at| &at.span);
                let finding = Finding::error(code::DUPLICATE_NUMBER, span, message);
                self.report.push(finding.related(&first, "by this variant"));
            }
            let payload = variant.payload.as_ref().map(|payload| self.resolve(payload, Place::Inside));
            sound &= payload.as_ref().is_none_or(Option::is_some);
            variants.push(Variant {
                name: variant.name.value.clone(),
                number,
                payload: payload.flatten(),
                description: variant.description.clone(),
            });
        }
        self.check_numbers(raw, &variants);
        self.sound.enums.push(sound);
        let (name, description) = (raw.name.value.clone(), raw.description.clone());
        self.schema.enums.push(Enumeration { name, description, variants });
    }

    /// The number that is written, or one more than the one before.
    fn variant_number(&mut self, raw: &RawVariant, before: Option<u16>) -> u16 {
        match &raw.number {
            // The language's table bounds it to a u16.
            Some(number) => number.value as u16,
            None => before.map_or(0, |before| before.saturating_add(1)),
        }
    }

    fn check_numbers(&mut self, raw: &RawEnum, variants: &[Variant]) {
        let Some((first, first_raw)) = variants.first().zip(raw.variants.first()) else {
            if raw.is_empty {
                let message = format!("the enum `{}` has no variants", shown(&raw.name.value));
                self.report.push(Finding::error(code::EMPTY_TYPE, &raw.name.span, message));
            }
            return;
        };
        if first.number != 0 {
            let span = first_raw.number.as_ref().map_or(&first_raw.name.span, |at| &at.span);
            let message = format!("the first variant has the number {}", first.number);
            let finding = Finding::error(code::FIRST_VARIANT, span, message).label("must be 0");
            self.report.push(finding.help("zeroed memory must be a valid value: put the variant with number 0 first"));
        }
        // Up to 256 variants are stored in one byte.
        let largest = variants.iter().zip(&raw.variants).max_by_key(|(variant, _)| variant.number);
        if let Some((largest, raw)) = largest.filter(|(it, _)| variants.len() <= 256 && it.number > 255) {
            let span = raw.number.as_ref().map_or(&raw.name.span, |at| &at.span);
            let message = format!("the number {} does not fit an enum of {} variants", largest.number, variants.len());
            let finding = Finding::error(code::NUMBER_OUT_OF_RANGE, span, message).label("at most 255");
            self.report.push(finding.help("an enum with up to 256 variants is stored in one byte"));
        }
    }

    /// Refuses types that hold themselves, are nested too deep or too large; the smaller ones first, so that each is
    /// measured from parts that are known to be finite.
    fn order_types(&mut self) {
        let composites = self.schema.composites.len();
        let mut graph = Graph::new(composites + self.schema.enums.len());
        for at in 0..composites + self.schema.enums.len() {
            self.parts(at).iter().for_each(|needed| graph.add(at, *needed));
        }
        let order = graph.order();
        for cycle in &order.cycles {
            self.report_type_cycle(cycle);
        }
        let mut depth = vec![0; composites + self.schema.enums.len()];
        let mut in_order = vec![false; depth.len()];
        for at in order.sorted {
            in_order[at] = true;
            self.composites_in_order.extend((at < composites).then_some(CompositeIdx(at as u32)));
            let parts = self.parts(at);
            depth[at] = self.own_depth(at) + parts.iter().map(|part| depth[*part]).max().unwrap_or(0);
            let sound = self.is_sound_type(at) && parts.iter().all(|part| self.is_sound_type(*part));
            let finite = sound && self.check_size(at, depth[at]);
            self.set_sound(at, finite);
        }
        for at in (0..in_order.len()).filter(|at| !in_order[*at]) {
            self.set_sound(at, false);
        }
    }

    /// The composites and enums in the types of a composite or, numbered behind them, an enum.
    fn parts(&self, at: usize) -> Vec<usize> {
        let mut parts = Vec::new();
        self.own_types(at).for_each(|ty| named_parts(ty, self.schema.composites.len(), &mut parts));
        parts
    }

    fn own_types(&self, at: usize) -> Box<dyn Iterator<Item = &Type> + '_> {
        match self.schema.composites.get(at) {
            Some(composite) => Box::new(composite.fields.iter().map(|field| &field.ty)),
            None => {
                let enumeration = self.schema.enums.get(at - self.schema.composites.len());
                Box::new(enumeration.into_iter().flat_map(|it| it.variants.iter().filter_map(|v| v.payload.as_ref())))
            }
        }
    }

    fn own_depth(&self, at: usize) -> usize {
        1 + self.own_types(at).map(brackets).max().unwrap_or(0)
    }

    fn is_sound_type(&self, at: usize) -> bool {
        let composites = self.sound.composites.len();
        self.sound.composites.get(at).or_else(|| self.sound.enums.get(at - composites)).copied().unwrap_or(false)
    }

    fn set_sound(&mut self, at: usize, sound: bool) {
        let composites = self.sound.composites.len();
        let place = match self.sound.composites.get_mut(at) {
            Some(place) => Some(place),
            None => self.sound.enums.get_mut(at - composites),
        };
        place.into_iter().for_each(|place| *place = sound);
    }

    fn check_size(&mut self, at: usize, depth: usize) -> bool {
        let composites = self.schema.composites.len();
        let (name, ty) = match self.raw.composites.get(at) {
            Some(raw) => (&raw.name, Type::Composite(CompositeIdx(at as u32))),
            None => match self.raw.enums.get(at - composites) {
                Some(raw) => (&raw.name, Type::Enum(EnumIdx((at - composites) as u32))),
                None => return false,
            },
        };
        if depth > TYPE_DEPTH_MAX {
            let message = format!("the type `{}` is nested {depth} deep", name.value);
            let finding = Finding::error(code::NESTED_TOO_DEEP, &name.span, message);
            self.report.push(finding.label(format!("at most {TYPE_DEPTH_MAX}")));
            return false;
        }
        let bytes = size_of(&self.schema, &ty);
        if bytes > RECORD_BYTES_MAX {
            let message = format!("the type `{}` takes {bytes} bytes", name.value);
            let finding = Finding::error(code::RECORD_TOO_LARGE, &name.span, message);
            self.report.push(finding.label(format!("at most {RECORD_BYTES_MAX}")).help(super::LARGE_HELP));
            return false;
        }
        true
    }

    fn report_type_cycle(&mut self, cycle: &[usize]) {
        let composites = self.raw.composites.len();
        let name = |at: usize| match self.raw.composites.get(at) {
            Some(raw) => Some(&raw.name),
            None => self.raw.enums.get(at - composites).map(|raw| &raw.name),
        };
        let names: Vec<&At<String>> = cycle.iter().filter_map(|at| name(*at)).collect();
        let Some((first, others)) = names.split_first() else { return };
        let path: Vec<&str> = names.iter().chain([first]).map(|at| at.value.as_str()).collect();
        let message = format!("the type `{}` holds itself: {}", first.value, shown(&path.join(" > ")));
        let mut finding = Finding::error(code::TYPE_CYCLE, &first.span, message);
        for other in others.iter().take(4) {
            finding = finding.related(&other.span, "through this");
        }
        self.report.push(finding.help("give it a table of its own, with a `ref` to the record it belongs to"));
    }
}

/// The composites and enums that a type mentions; enums are numbered behind the composites.
fn named_parts(ty: &Type, composites: usize, parts: &mut Vec<usize>) {
    match ty {
        Type::Composite(idx) => parts.push(idx.at()),
        Type::Enum(idx) => parts.push(composites + idx.at()),
        Type::Array(element, _) | Type::List(element) => named_parts(element, composites, parts),
        _ => {}
    }
}

fn brackets(ty: &Type) -> usize {
    match ty {
        Type::Array(element, _) | Type::List(element) => 1 + brackets(element),
        _ => 0,
    }
}
