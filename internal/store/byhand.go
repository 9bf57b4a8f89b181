package store

import (
	"context"
	"fmt"
)

// unwatched are the tables that tell nothing of what a credential is worth. All
// others are watched: a table that is added is, unless it is named here.
const unwatched = `('state', 'changes', 'counters', 'nodes', 'jobs', 'audit', 'audit_repeats', 'audit_gone', 'audit_chain', 'goose_db_version',
	'token_days', 'token_places', 'token_actions', 'account_days', 'account_actions', 'usage_begin', 'spare_roles')`

// markOurs marks a connection as one of Hallpass: what is written on it, the
// triggers of watchHands take no notice of.
const markOurs = `SELECT set_config('hallpass.own', 'yes', false); `

// byHand is the body of the function that PostgreSQL calls before a statement
// that writes a watched table on a connection that is not ours. The statement
// becomes the next change, as Tx.Change and hallpass.ChainDigest would have it,
// and leaves an audit entry, all in its own transaction. It locks the row of
// state before the rows that it changes, as our changes do: versions keep the
// order of commits, and two who write never wait for each other in a circle.
const byHand = `
DECLARE
	ver BIGINT;
	dig BYTEA;
	entry BIGINT;
	nobody BYTEA := decode(repeat('00', 32), 'hex');
BEGIN
	EXECUTE format('UPDATE %I.state SET v = v + 1 WHERE id = 1 RETURNING v, digest', TG_TABLE_SCHEMA) INTO ver, dig;
	IF ver IS NULL THEN
		RETURN NULL; -- the installation has not begun, and no server answers from it
	END IF;
	dig := sha256(dig || int8send(ver) || int8send(0::BIGINT) || nobody || convert_to('byhand', 'UTF8'));
	EXECUTE format('UPDATE %I.state SET digest = $1 WHERE id = 1', TG_TABLE_SCHEMA) USING dig;
	EXECUTE format('INSERT INTO %I.changes (v, kind, subject_id, hash, digest) VALUES ($1, $2, 0, $3, $4)', TG_TABLE_SCHEMA)
		USING ver, 'byhand', nobody, dig;
	EXECUTE format('UPDATE %I.counters SET value = value + 1 WHERE name = $1 RETURNING value', TG_TABLE_SCHEMA) INTO entry USING 'audit';
	EXECUTE format('INSERT INTO %I.audit (id, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count)
		VALUES ($1, $2, 0, 0, 0, $3, 0, $4, $5, $6, $7, $8, $9, 1)', TG_TABLE_SCHEMA)
		USING entry, ` + databaseClock + `, 'database:' || session_user, 'database.write', 'table:' || TG_TABLE_NAME, 'ok', lower(TG_OP),
			COALESCE(host(inet_client_addr()), ''), current_setting('application_name');
	PERFORM pg_notify('` + changesChannel + `', '');
	RETURN NULL;
END `

// watchHands has PostgreSQL notice whoever writes to the tables beside Hallpass:
// somebody who deletes a token in psql. Without that no node would hear of it, and
// each would answer from memory for good. SQLite tells by itself
// (ChangedElsewhere). Our own statements pay for one look at a setting.
//
// Once the triggers are there this only reads: a role that may not change the
// schema will do.
func (db *DB) watchHands(ctx context.Context) error {
	if !db.postgres {
		return nil
	}
	const missing = `
		SELECT (SELECT COUNT(*) FROM pg_class c
			WHERE  c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname NOT IN ` + unwatched + `
			AND    NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'hallpass_by_hand'))
		+ (SELECT COUNT(*) FROM (SELECT 1) one
			WHERE NOT EXISTS (SELECT 1 FROM pg_proc p WHERE p.proname = 'hallpass_by_hand' AND p.pronamespace = current_schema()::regnamespace AND p.prosrc = $1))`
	var n int64
	if err := db.write.QueryRowContext(ctx, missing, byHand).Scan(&n); err != nil || n == 0 {
		return watching(err)
	}
	// In turn with all who write: several nodes may start at once.
	return watching(db.exclusively(ctx, func(tx *Tx) error {
		_, err := tx.exec(`
			CREATE OR REPLACE FUNCTION hallpass_by_hand() RETURNS trigger LANGUAGE plpgsql AS $function$` + byHand + `$function$`)
		if err != nil {
			return err
		}
		_, err = tx.exec(`
			DO $$
			DECLARE c record;
			BEGIN
				FOR c IN
					SELECT t.oid::regclass AS tab FROM pg_class t
					WHERE  t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace AND t.relname NOT IN ` + unwatched + `
					AND    NOT EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = t.oid AND g.tgname = 'hallpass_by_hand')
					ORDER  BY t.relname
				LOOP
					EXECUTE format('CREATE TRIGGER hallpass_by_hand BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT
						WHEN (current_setting(''hallpass.own'', true) IS DISTINCT FROM ''yes'') EXECUTE FUNCTION hallpass_by_hand()', c.tab);
				END LOOP;
			END $$`)
		return err
	}))
}

func watching(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: watch the tables: %w", classify(err))
}
