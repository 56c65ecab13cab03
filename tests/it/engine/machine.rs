//! The state machine of `dbgen_tests::machine`, driven by bytes that shrink, by seeds, and by what once failed.
//!
//! `cargo run --release -p dbgen-tests --bin machine` runs it for as long as one likes.

use dbgen_tests::machine::tape::Tape;
use dbgen_tests::machine::{Machine, quiet_about_plans, replay};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

/// The choices of one step. Shorter ones, and smaller numbers, are simpler steps.
#[derive(Debug, Clone)]
struct Choices(Vec<u8>);

/// What proptest knows of the world: nothing. The model lives beside the database, since it learns ids from it.
struct Steps;

impl ReferenceStateMachine for Steps {
    type State = ();
    type Transition = Choices;

    fn init_state() -> BoxedStrategy<()> {
        Just(()).boxed()
    }
    fn transitions(_: &()) -> BoxedStrategy<Choices> {
        vec(any::<u8>(), 0..160).prop_map(Choices).boxed()
    }
    fn apply(_: (), _: &Choices) {}
}

struct Run;

impl StateMachineTest for Run {
    type SystemUnderTest = Machine;
    type Reference = Steps;

    fn init_test(_: &()) -> Machine {
        quiet_about_plans();
        Machine::new()
    }
    fn apply(mut machine: Machine, _: &(), choices: Choices) -> Machine {
        machine.step(&mut Tape::Bytes(&choices.0));
        machine
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_does_what_plain_maps_do(sequential 1..80 => Run);
}

#[test]
fn ao_1_forty_kinds_of_operation_meet_in_one_world() {
    quiet_about_plans();
    let (mut machine, mut tape) = (Machine::new(), Tape::Seed(7));
    for _ in 0..1_200 {
        machine.step(&mut tape);
    }
    let kinds = machine.seen.kinds();
    assert!(kinds.len() >= 40, "{} kinds: {kinds:?}", kinds.len());
    for ending in ["done", "invalid", "restricted", "refused"] {
        assert!(machine.seen.0.keys().any(|kind| kind.ends_with(ending)), "nothing ended as {ending}");
    }
}

#[test]
fn what_the_fuzzer_kept_is_played_again() {
    let kept = dbgen_tests::files("fuzz/corpus/operations", "");
    assert!(kept.len() >= 6, "{kept:?}");
    for file in kept {
        println!("{file}");
        replay(&std::fs::read(dbgen_tests::root().join(file)).expect("a file of the corpus"));
    }
}

#[test]
fn worlds_of_any_schema_do_what_plain_maps_do() {
    quiet_about_plans();
    for seed in 0..3 {
        let mut tape = Tape::Seed(seed);
        let mut machine = Machine::by_chance(&mut tape).expect("the language has it");
        assert!(machine.world.schema.tables.len() >= 30);
        for _ in 0..120 {
            machine.step(&mut tape);
        }
    }
}
