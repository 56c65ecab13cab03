//! The ids of the plan for the engine: each has a test whose name begins with it, here or elsewhere ([`ids`]).

mod conversation;
mod ids;
mod layout;
mod readers;
mod tables;

use conversation::play;

#[test]
fn sl_2_fields_have_sizes_and_no_alignment() {
    play("sl_2_field_sizes");
}

#[test]
fn sl_3_a_record_is_as_long_as_its_fields() {
    play("sl_3_record_size");
}

#[test]
fn sl_4_values_are_written_at_their_offsets() {
    play("sl_4_write_at_offsets");
}

#[test]
fn ts_2_tables_are_created_and_destroyed() {
    play("ts_2_create_and_destroy");
}

#[test]
fn ts_3_fields_are_added_with_their_rules_asked() {
    play("ts_3_add_field");
}

#[test]
fn ts_4_fields_are_removed_with_their_uses_asked() {
    play("ts_4_remove_field");
}

#[test]
fn rl_1_a_relation_leads_to_a_record() {
    play("rl_1_relation");
}

#[test]
fn rl_2_a_deletion_keeps_references_whole() {
    play("rl_2_integrity");
}

#[test]
fn ao_1_each_operation_happens_or_does_not() {
    play("ao_1_crud");
}

#[test]
fn ao_2_a_transaction_goes_back_whole() {
    play("ao_2_rollback");
}
