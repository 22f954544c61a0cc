"""The warehouse's tables, as numbered steps: a database that lacks a step gets it, and no step is ever changed once it is released.

Every version of a record is kept in `custody_version`, and the highest one of each again in `custody_record`, which is what people ask.
"""

from collections.abc import Mapping
from typing import Final

SCHEMA: Final = "warehouse"

STEPS: Final[Mapping[int, str]] = {
    1: f"""
CREATE TABLE {SCHEMA}.custody_version (
    custody_number text NOT NULL COLLATE "C" CHECK (custody_number ~ '^[A-Z0-9]{{4}}/[0-9]{{1,6}}/[0-9]{{2}}$'),
    version bigint NOT NULL CHECK (version >= 1),
    message_id uuid,
    business_date date NOT NULL,
    status char(1) NOT NULL CHECK (status IN ('O', 'U', 'C')),
    recorded_at timestamptz NOT NULL,
    suite char(4) NOT NULL,
    suite_name varchar(50),
    arrived_at timestamptz NOT NULL,
    arrested_at timestamptz NOT NULL,
    arrest_place varchar(200),
    arresting_officer varchar(15),
    family_name varchar(35),
    given_names varchar(107),
    birth_year smallint,
    birth_month smallint CHECK (birth_month BETWEEN 1 AND 12),
    birth_day smallint CHECK (birth_day BETWEEN 1 AND 31),
    sex char(1) CHECK (sex IN ('M', 'F', 'N')),
    observed_ethnicity smallint CHECK (observed_ethnicity BETWEEN 0 AND 9),
    self_defined_ethnicity char(2),
    pnc_id varchar(13),
    cro_number varchar(10),
    arrest_summons_number varchar(21),
    relevant_time timestamptz,
    authorised_at timestamptz,
    expires_at timestamptz,
    authority char(3) CHECK (authority IN ('CUS', 'SUP', 'MAG')),
    risk smallint CHECK (risk BETWEEN 1 AND 4),
    released_at timestamptz,
    release_kind char(2) CHECK (release_kind IN ('UN', 'BA', 'CO', 'TR')),
    footwear_taken boolean,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (custody_number, version)
);
CREATE INDEX ON {SCHEMA}.custody_version (business_date);
CREATE TABLE {SCHEMA}.custody_record (LIKE {SCHEMA}.custody_version INCLUDING CONSTRAINTS INCLUDING DEFAULTS, PRIMARY KEY (custody_number));
CREATE INDEX ON {SCHEMA}.custody_record (pnc_id);
CREATE TABLE {SCHEMA}.custody_offence (
    custody_number text NOT NULL COLLATE "C",
    version bigint NOT NULL,
    number smallint NOT NULL,
    cjs_code varchar(8) NOT NULL,
    recordable boolean NOT NULL,
    FOREIGN KEY (custody_number, version) REFERENCES {SCHEMA}.custody_version
);
CREATE INDEX ON {SCHEMA}.custody_offence (custody_number, version);
CREATE TABLE {SCHEMA}.custody_disposal (
    custody_number text NOT NULL COLLATE "C",
    version bigint NOT NULL,
    offence_number smallint NOT NULL,
    cjs_code varchar(8) NOT NULL,
    kind char(3) NOT NULL CHECK (kind IN ('CHG', 'CAU', 'BBC', 'RUI', 'NFA')),
    decided_at timestamptz NOT NULL,
    FOREIGN KEY (custody_number, version) REFERENCES {SCHEMA}.custody_version
);
CREATE INDEX ON {SCHEMA}.custody_disposal (custody_number, version);
CREATE TABLE {SCHEMA}.custody_review (
    custody_number text NOT NULL COLLATE "C",
    version bigint NOT NULL,
    due_at timestamptz NOT NULL,
    done_at timestamptz,
    officer varchar(15),
    method char(1) CHECK (method IN ('P', 'T', 'V')),
    FOREIGN KEY (custody_number, version) REFERENCES {SCHEMA}.custody_version
);
CREATE INDEX ON {SCHEMA}.custody_review (custody_number, version);
CREATE TABLE {SCHEMA}.quality_issue (
    custody_number text NOT NULL COLLATE "C",
    version bigint NOT NULL,
    column_name varchar(63) NOT NULL,
    problem varchar(40) NOT NULL,
    FOREIGN KEY (custody_number, version) REFERENCES {SCHEMA}.custody_version
);
CREATE INDEX ON {SCHEMA}.quality_issue (custody_number, version);
""",
}
LATEST: Final = max(STEPS)

LOCK: Final = 0x6D657469
"""Key of the advisory lock under which steps are taken, so that workers that start together take each once."""
TAKE_LOCK: Final = f"SELECT pg_advisory_xact_lock({LOCK})"
BEGIN: Final = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.step (number integer PRIMARY KEY, taken_at timestamptz NOT NULL DEFAULT now());
"""
IS_BEGUN: Final = f"SELECT to_regclass('{SCHEMA}.step') IS NOT NULL"
LAST_STEP: Final = f"SELECT coalesce(max(number), 0) FROM {SCHEMA}.step"  # noqa: S608 - names of our own
STEP_TAKEN: Final = f"INSERT INTO {SCHEMA}.step (number) VALUES ($1)"  # noqa: S608 - as above


def missing(last: int) -> tuple[tuple[int, str], ...]:
    """The steps after the last one that a database has, in order."""
    return tuple((number, text) for number, text in sorted(STEPS.items()) if number > last)
