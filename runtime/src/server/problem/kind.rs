//! The table of problems: every code that the server answers with, its HTTP status, its JSON-RPC code and its title.

/// Codes of JSON-RPC errors, beside those that the protocol itself defines.
pub(crate) mod rpc_code {
    pub(crate) const PARSE_ERROR: i32 = -32700;
    pub(crate) const INVALID_REQUEST: i32 = -32600;
    pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
    pub(crate) const INVALID_PARAMS: i32 = -32602;
    pub(crate) const INTERNAL: i32 = -32603;
    pub(crate) const NOT_FOUND: i32 = -32001;
    pub(crate) const CONFLICT: i32 = -32002;
    pub(crate) const VALIDATION: i32 = -32003;
    pub(crate) const PRECONDITION: i32 = -32004;
    pub(crate) const UNAUTHENTICATED: i32 = -32005;
    pub(crate) const FORBIDDEN: i32 = -32006;
    pub(crate) const CONSTRAINT: i32 = -32007;
    pub(crate) const LIMIT: i32 = -32008;
    pub(crate) const BUSY: i32 = -32009;
}

struct Row {
    code: &'static str,
    status: u16,
    rpc_code: i32,
    title: &'static str,
}

macro_rules! kinds {
    ($($name:ident $status:literal $code:literal $rpc:ident $title:literal;)*) => {
        /// What kind of problem; a row of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind {
            $(#[doc = $title] $name,)*
        }

        const KINDS: &[Kind] = &[$(Kind::$name,)*];
        const ROWS: &[Row] =
            &[$(Row { code: $code, status: $status, rpc_code: rpc_code::$rpc, title: $title },)*];
    };
}

kinds! {
    // What was sent cannot be read.
    MalformedRequest      400 "malformed_request"      INVALID_PARAMS  "Malformed request";
    MalformedJson         400 "malformed_json"         PARSE_ERROR     "Malformed JSON";
    DuplicateKey          400 "duplicate_key"          INVALID_REQUEST "Key given twice";
    InvalidRequest        400 "invalid_request"        INVALID_REQUEST "Invalid Request";
    NestedTooDeep         400 "nested_too_deep"        LIMIT           "Nested too deep";
    InvalidHeader         400 "invalid_header"         INVALID_PARAMS  "Invalid header";
    InvalidId             400 "invalid_id"             INVALID_PARAMS  "Not a record id";
    UnknownParameter      400 "unknown_parameter"      INVALID_PARAMS  "Unknown parameter";
    DuplicateParameter    400 "duplicate_parameter"    INVALID_PARAMS  "Parameter given twice";
    MissingParameter      400 "missing_parameter"      INVALID_PARAMS  "Parameter missing";
    InvalidParameter      400 "invalid_parameter"      INVALID_PARAMS  "Invalid parameter";
    InvalidFilterValue    400 "invalid_value"          INVALID_PARAMS  "Invalid value";
    NotUniqueField        400 "not_unique_field"       INVALID_PARAMS  "Field is not unique";
    LimitTooLarge         400 "limit_too_large"        LIMIT           "Limit too large";
    FilterRequired        400 "filter_required"        INVALID_PARAMS  "Filter required";
    MaxAffected           400 "max_affected"           LIMIT           "Too many records affected";
    InvalidCursor         400 "invalid_cursor"         INVALID_PARAMS  "Invalid cursor";
    // Who asks.
    Unauthenticated       401 "unauthenticated"        UNAUTHENTICATED "A token is needed";
    HostNotAllowed        403 "host_not_allowed"       FORBIDDEN       "Host not allowed";
    OriginNotAllowed      403 "origin_not_allowed"     FORBIDDEN       "Origin not allowed";
    Forbidden             403 "forbidden"              FORBIDDEN       "Not allowed";
    // What is asked for is not there.
    UnknownRoute          404 "unknown_route"          NOT_FOUND       "Unknown route";
    UnknownTable          404 "unknown_table"          NOT_FOUND       "Unknown table";
    FieldNotFound         404 "field_not_found"        NOT_FOUND       "Field not found";
    IndexNotFound         404 "index_not_found"        NOT_FOUND       "Index not found";
    TypeNotFound          404 "type_not_found"         NOT_FOUND       "Type not found";
    RelationNotFound      404 "relation_not_found"     NOT_FOUND       "Relation not found";
    RecordNotFound        404 "record_not_found"       NOT_FOUND       "Record not found";
    MethodNotFound        404 "method_not_found"       METHOD_NOT_FOUND "Method not found";
    UnknownProblem        404 "unknown_problem"        NOT_FOUND       "Unknown problem";
    MethodNotAllowed      405 "method_not_allowed"     INVALID_PARAMS  "Method not allowed";
    NotAcceptable         406 "not_acceptable"         INVALID_PARAMS  "Not acceptable";
    RequestTimeout        408 "request_timeout"        LIMIT           "Request took too long to arrive";
    // What is asked for is at odds with what is stored.
    TableExists           409 "table_exists"           CONFLICT        "Table exists";
    FieldExists           409 "field_exists"           CONFLICT        "Field exists";
    IndexExists           409 "index_exists"           CONFLICT        "Index exists";
    RelationExists        409 "relation_exists"        CONFLICT        "Relation exists";
    IndexNeeded           409 "index_needed"           CONFLICT        "Index is needed";
    TableReferenced       409 "table_referenced"       CONFLICT        "Table is referred to";
    TypeExists            409 "type_exists"            CONFLICT        "Type exists";
    TypeUsed              409 "type_used"              CONFLICT        "Type is used";
    FieldUsed             409 "field_used"             CONFLICT        "Field is used";
    Compiled              409 "compiled"               CONFLICT        "Compiled into the program";
    Unique                409 "unique"                 CONSTRAINT      "Not unique";
    UnknownReference      409 "unknown_reference"      CONSTRAINT      "Reference to nothing";
    Restricted            409 "restricted"             CONSTRAINT      "Referred to by other records";
    Constraint            409 "constraint"             CONSTRAINT      "Constraints are broken";
    Aborted               409 "aborted"                CONFLICT        "Transaction aborted";
    NoDataFolder          409 "no_data_folder"         CONFLICT        "No data folder";
    SchemaChanged         409 "schema_changed"         CONFLICT        "Schema changed meanwhile";
    IdempotencyInFlight   409 "idempotency_in_flight"  CONFLICT        "The same request is running";
    IdempotencyUnanswered 409 "idempotency_unanswered" CONFLICT        "Executed, and the answer lost";
    CursorExpired         410 "cursor_expired"         PRECONDITION    "Cursor expired";
    PreconditionFailed    412 "precondition_failed"    PRECONDITION    "Precondition failed";
    PreconditionRequired  428 "precondition_required"  PRECONDITION    "Precondition required";
    // How it is asked.
    BodyTooLarge          413 "body_too_large"         LIMIT           "Body too large";
    UriTooLong            414 "uri_too_long"           LIMIT           "URL too long";
    UnsupportedMediaType  415 "unsupported_media_type" INVALID_PARAMS  "Unsupported media type";
    // What was sent can be read, but breaks rules.
    UnknownField          422 "unknown_field"          VALIDATION      "Unknown field";
    UnknownVariant        422 "unknown_variant"        VALIDATION      "Unknown variant";
    MissingField          422 "missing_field"          VALIDATION      "Field missing";
    NotNullable           422 "not_nullable"           VALIDATION      "Field cannot be null";
    WrongType             422 "wrong_type"             VALIDATION      "Wrong type";
    WrongLength           422 "wrong_length"           VALIDATION      "Wrong length";
    OutOfRange            422 "out_of_range"           VALIDATION      "Out of range";
    TooLong               422 "too_long"               VALIDATION      "Too long";
    InvalidValue          422 "invalid_value"          VALIDATION      "Invalid value";
    SystemMember          422 "system_member"          VALIDATION      "Set by the database";
    Immutable             422 "immutable"              VALIDATION      "Field never changes";
    InvalidRecord         422 "invalid_record"         VALIDATION      "Invalid record";
    InvalidSchema         422 "invalid_schema"         VALIDATION      "Invalid schema";
    RecordsInTheWay       422 "records_in_the_way"     CONSTRAINT      "Records are in the way";
    InvalidArguments      422 "invalid_arguments"      INVALID_PARAMS  "Invalid arguments";
    NotAlterable          422 "not_alterable"          VALIDATION      "Cannot be changed like this";
    DefaultRequired       422 "default_required"       VALIDATION      "Default required";
    Unsupported           422 "unsupported"            VALIDATION      "Not supported";
    IdempotencyMismatch   422 "idempotency_mismatch"   CONFLICT        "Key of another request";
    TooManyOperations     422 "too_many_operations"    LIMIT           "Too many operations";
    // What the server cannot do now, or should have done.
    Internal              500 "internal"               INTERNAL        "Internal error";
    VersionNotReached     503 "version_not_reached"    BUSY            "Version not reached";
    QueueFull             503 "queue_full"             BUSY            "Write queue full";
    Overloaded            503 "overloaded"             BUSY            "Too many requests at once";
    Stopped               503 "stopped"                BUSY            "Not running";
    TimedOut              504 "timed_out"              BUSY            "No answer in time";
    Full                  507 "full"                   LIMIT           "Table full";
    ReadOnly              507 "read_only"              LIMIT           "The log cannot be written";
}

impl Kind {
    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    pub(crate) fn code(self) -> &'static str {
        self.row().code
    }

    pub(crate) fn status(self) -> u16 {
        self.row().status
    }

    pub(crate) fn rpc_code(self) -> i32 {
        self.row().rpc_code
    }

    pub(crate) fn title(self) -> &'static str {
        self.row().title
    }

    /// The kinds with this code; usually one.
    pub(crate) fn of_code(code: &str) -> impl Iterator<Item = Kind> {
        KINDS.iter().copied().filter(move |kind| kind.code() == code)
    }

    /// The kind of a whole request whose values break rules with these codes: that of the only code, or a general one.
    pub(crate) fn of_values<'a>(mut codes: impl Iterator<Item = &'a str>, otherwise: Kind) -> Kind {
        let Some(first) = codes.next() else { return otherwise };
        if codes.any(|code| code != first) {
            return otherwise;
        }
        let found = Kind::of_code(first).find(|kind| kind.status() == otherwise.status());
        found.unwrap_or(otherwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_with_a_status_is_one_kind() {
        for kind in KINDS {
            let same = KINDS.iter().filter(|other| (other.code(), other.status()) == (kind.code(), kind.status()));
            assert_eq!(same.count(), 1, "{}", kind.code());
        }
    }

    #[test]
    fn every_code_of_a_value_is_in_the_table() {
        use dbgen_schema::json::code;
        for code in [
            code::OUT_OF_RANGE,
            code::TOO_LONG,
            code::WRONG_TYPE,
            code::UNKNOWN_FIELD,
            code::UNKNOWN_VARIANT,
            code::MISSING_FIELD,
            code::NOT_NULLABLE,
            code::INVALID_VALUE,
            code::WRONG_LENGTH,
        ] {
            let kind = Kind::of_values([code, code].into_iter(), Kind::InvalidRecord);
            assert_eq!(kind.code(), code);
            assert_eq!(kind.status(), 422);
        }
        let two = [code::TOO_LONG, code::WRONG_TYPE].into_iter();
        assert_eq!(Kind::of_values(two, Kind::InvalidRecord), Kind::InvalidRecord);
    }
}
