-- One role for each of Patron's processes, with the rights it needs and no others.
--
--   psql -v ON_ERROR_STOP=1 -d patron -f deploy/postgresql/roles.sql
--
-- An administrator runs it in Patron's own database: before the first `patron db upgrade`, which the
-- migrator carries out, and again after every one, for the tables it has brought. It may be run at any
-- time; workers that are running notice nothing.
--
-- Passwords, for those roles that are to have one:   -v importer_password=… -v processor_password=…
-- or afterwards, unseen by others on the machine:    \password patron_importer
-- Another name than patron_…, for a second installation on one server:   -v prefix=…

\set QUIET on
\if :{?prefix}
\else
  \set prefix patron
\endif
\set migrator :prefix _migrator

BEGIN;

-- Two who run this at once take turns.
SELECT pg_advisory_xact_lock(hashtext('patron roles')) AS taken \gset

CREATE TEMPORARY TABLE role (name text PRIMARY KEY, says text NOT NULL) ON COMMIT DROP;
INSERT INTO role VALUES
  ('migrator', 'owns the tables: patron db upgrade'),
  ('importer', 'patron run importer'),
  ('processor', 'patron run processor'),
  ('exporter', 'patron run exporter'),
  ('keeper', 'patron run keeper'),
  ('operator', 'people and timers who change things: patron staging, dead-letters, customer, import'),
  ('reader', 'people and programs who only look: patron queues, import --dry-run, explain');

SELECT format('CREATE ROLE %I LOGIN', :'prefix' || '_' || name)
FROM role WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'prefix' || '_' || name) \gexec
SELECT format('COMMENT ON ROLE %I IS %L', :'prefix' || '_' || name, says) FROM role \gexec

-- Nobody but these may connect, and only the migrator may make anything.
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), :'prefix' || '_' || name)
FROM role \gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SELECT format('GRANT USAGE ON SCHEMA public TO %I', :'prefix' || '_' || name) FROM role \gexec
GRANT CREATE ON SCHEMA public TO :"migrator";

-- What each may do: to whom, what, with which tables.
CREATE TEMPORARY TABLE rights (roles text, rights text, tables text) ON COMMIT DROP;
INSERT INTO rights VALUES
  -- Whether the database is migrated and at home, and the metrics of what waits.
  ('importer processor exporter keeper', 'SELECT', 'alembic_version messages dead_letters'),
  ('importer processor exporter keeper', 'SELECT', 'staging_customers cursors channel_pauses'),
  ('importer processor exporter keeper', 'SELECT', 'number_series database_home'),

  -- To send, receive, put off, give up; everybody publishes whatever is due. The keeper owes again
  -- what is replayed, and takes out what the broker gave up.
  ('importer processor exporter', 'INSERT, UPDATE, DELETE', 'messages'),
  ('keeper', 'INSERT, DELETE', 'messages'),
  ('importer processor exporter keeper', 'SELECT, INSERT, UPDATE', 'foreign_messages'),
  ('importer processor exporter', 'DELETE', 'foreign_messages'),
  ('importer processor exporter keeper', 'INSERT, UPDATE', 'dead_letters'),
  ('processor exporter keeper', 'INSERT', 'history'),
  ('importer processor exporter', 'INSERT, UPDATE', 'channel_pauses'),

  -- The importer: how far it is, what it saw, what was asked of it, pushed to it, told it.
  ('importer', 'INSERT, UPDATE', 'cursors'),
  ('importer', 'SELECT, INSERT, UPDATE, DELETE', 'source_records import_requests'),
  ('importer', 'SELECT, INSERT, UPDATE', 'raw_payloads'),
  ('importer', 'SELECT, INSERT', 'webhook_events push_requests push_items'),
  ('importer', 'SELECT, INSERT, DELETE', 'push_emails'),
  ('importer', 'SELECT', 'tombstones links customers history'),

  -- The processor: every decision.
  ('processor', 'INSERT, UPDATE', 'staging_customers number_series'),
  ('processor', 'SELECT, INSERT, UPDATE', 'customers links'),
  ('processor', 'SELECT, INSERT, UPDATE, DELETE', 'customer_addresses'),
  ('processor', 'SELECT, INSERT, DELETE', 'customer_contacts'),
  ('processor', 'SELECT, UPDATE', 'import_requests'),
  ('processor', 'SELECT', 'tombstones'),
  -- Also deletes what was kept long enough. It locks first, which is the right to update something.
  ('processor', 'DELETE', 'staging_customers dead_letters import_requests'),
  ('processor', 'SELECT, DELETE, UPDATE (id)', 'history'),
  ('processor', 'SELECT, DELETE, UPDATE (read_at)', 'raw_payloads'),
  ('processor', 'SELECT, DELETE, UPDATE (received_at)', 'webhook_events push_requests'),

  -- The exporter: which number a shop has by now. It never changes a customer.
  ('exporter', 'SELECT, UPDATE', 'links source_records'),
  ('exporter', 'SELECT', 'customers'),
  ('exporter', 'DELETE', 'channel_pauses'),

  -- The keeper: replays.
  ('keeper', 'SELECT, UPDATE', 'replay_jobs replay_items'),
  ('keeper', 'SELECT', 'tombstones');

-- Operators do by hand what nobody foresaw; what they did is in the audit log. Readers read.
INSERT INTO rights
  SELECT each.roles, each.rights, tablename
  FROM pg_tables, (VALUES
    ('operator', 'SELECT, INSERT, UPDATE, DELETE'), ('reader', 'SELECT')) AS each (roles, rights)
  WHERE schemaname = 'public' AND tablename <> 'alembic_version';
INSERT INTO rights VALUES ('operator reader', 'SELECT', 'alembic_version');

-- Everything is taken away and given anew, so that a right that is no longer here is gone; others see
-- both at once.
SELECT format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %1$I;'
              ' REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM %1$I', :'prefix' || '_' || name)
FROM role WHERE name <> 'migrator' \gexec
CREATE TEMPORARY VIEW granted AS
  SELECT name, rights, tablename
  FROM rights, unnest(string_to_array(roles, ' ')) AS name,
       unnest(string_to_array(tables, ' ')) AS tablename
  WHERE to_regclass(format('public.%I', tablename)) IS NOT NULL;
SELECT format('GRANT %s ON TABLE public.%I TO %I', rights, tablename, :'prefix' || '_' || name)
FROM granted \gexec
-- Lines are numbered by a sequence.
SELECT DISTINCT format('GRANT USAGE ON SEQUENCE %s TO %I', serial, :'prefix' || '_' || name)
FROM granted
JOIN information_schema.columns ON table_schema = 'public' AND table_name = tablename,
     pg_get_serial_sequence(format('public.%I', tablename), column_name) AS serial
WHERE rights LIKE '%INSERT%' AND serial IS NOT NULL \gexec
DROP VIEW granted;

\if :{?migrator_password}
  ALTER ROLE :"migrator" PASSWORD :'migrator_password';
\endif
\if :{?importer_password}
  \set name :prefix _importer
  ALTER ROLE :"name" PASSWORD :'importer_password';
\endif
\if :{?processor_password}
  \set name :prefix _processor
  ALTER ROLE :"name" PASSWORD :'processor_password';
\endif
\if :{?exporter_password}
  \set name :prefix _exporter
  ALTER ROLE :"name" PASSWORD :'exporter_password';
\endif
\if :{?keeper_password}
  \set name :prefix _keeper
  ALTER ROLE :"name" PASSWORD :'keeper_password';
\endif
\if :{?operator_password}
  \set name :prefix _operator
  ALTER ROLE :"name" PASSWORD :'operator_password';
\endif
\if :{?reader_password}
  \set name :prefix _reader
  ALTER ROLE :"name" PASSWORD :'reader_password';
\endif

COMMIT;
