//! The columns of system relations, as drivers and tools expect them of PostgreSQL 15 (chapters 37, 53 and 54): oid of
//! the relation, its name, and `name type` for each column. Types that this engine has not are given as the nearest
//! that it has: vectors as arrays, transaction ids as oids, expression trees and network addresses as text.

/// Identifier of a relation, its name and its columns.
pub type Layout = (u32, &'static str, &'static str);

/// pg_catalog
#[rustfmt::skip]
pub const PG_CATALOG: &[Layout] = &[
    (2600, "pg_aggregate", "aggfnoid regproc, aggkind char, aggnumdirectargs int2, aggtransfn regproc, aggfinalfn regproc, \
         aggcombinefn regproc, aggserialfn regproc, aggdeserialfn regproc, aggmtransfn regproc, \
         aggminvtransfn regproc, aggmfinalfn regproc, aggfinalextra bool, aggmfinalextra bool, aggfinalmodify \
         char, aggmfinalmodify char, aggsortop oid, aggtranstype oid, aggtransspace int4, aggmtranstype oid, \
         aggmtransspace int4, agginitval text, aggminitval text"),
    (2601, "pg_am", "oid oid, amname name, amhandler regproc, amtype char"),
    (2604, "pg_attrdef", "oid oid, adrelid oid, adnum int2, adbin text"),
    (1249, "pg_attribute", "attrelid oid, attname name, atttypid oid, attstattarget int4, attlen int2, attnum int2, attndims \
         int4, attcacheoff int4, atttypmod int4, attbyval bool, attalign char, attstorage char, \
         attcompression char, attnotnull bool, atthasdef bool, atthasmissing bool, attidentity char, \
         attgenerated char, attisdropped bool, attislocal bool, attinhcount int4, attcollation oid, attacl \
         _text, attoptions _text, attfdwoptions _text, attmissingval text"),
    (1261, "pg_auth_members", "roleid oid, member oid, grantor oid, admin_option bool"),
    (2605, "pg_cast", "oid oid, castsource oid, casttarget oid, castfunc oid, castcontext char, castmethod char"),
    (1259, "pg_class", "oid oid, relname name, relnamespace oid, reltype oid, reloftype oid, relowner oid, relam oid, \
         relfilenode oid, reltablespace oid, relpages int4, reltuples float4, relallvisible int4, \
         reltoastrelid oid, relhasindex bool, relisshared bool, relpersistence char, relkind char, relnatts \
         int2, relchecks int2, relhasrules bool, relhastriggers bool, relhassubclass bool, relrowsecurity \
         bool, relforcerowsecurity bool, relispopulated bool, relreplident char, relispartition bool, \
         relrewrite oid, relfrozenxid oid, relminmxid oid, relacl _text, reloptions _text, relpartbound text"),
    (3456, "pg_collation", "oid oid, collname name, collnamespace oid, collowner oid, collprovider char, collisdeterministic \
         bool, collencoding int4, collcollate text, collctype text, colliculocale text, collversion text"),
    (2606, "pg_constraint", "oid oid, conname name, connamespace oid, contype char, condeferrable bool, condeferred bool, \
         convalidated bool, conrelid oid, contypid oid, conindid oid, conparentid oid, confrelid oid, \
         confupdtype char, confdeltype char, confmatchtype char, conislocal bool, coninhcount int4, \
         connoinherit bool, conkey _int2, confkey _int2, conpfeqop _oid, conppeqop _oid, conffeqop _oid, \
         confdelsetcols _int2, conexclop _oid, conbin text"),
    (2607, "pg_conversion", "oid oid, conname name, connamespace oid, conowner oid, conforencoding int4, contoencoding int4, \
         conproc regproc, condefault bool"),
    (1262, "pg_database", "oid oid, datname name, datdba oid, encoding int4, datlocprovider char, datistemplate bool, \
         datallowconn bool, datconnlimit int4, datfrozenxid oid, datminmxid oid, dattablespace oid, \
         datcollate text, datctype text, daticulocale text, datcollversion text, datacl _text"),
    (2964, "pg_db_role_setting", "setdatabase oid, setrole oid, setconfig _text"),
    (826, "pg_default_acl", "oid oid, defaclrole oid, defaclnamespace oid, defaclobjtype char, defaclacl _text"),
    (2608, "pg_depend", "classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, refobjsubid int4, deptype char"),
    (2609, "pg_description", "objoid oid, classoid oid, objsubid int4, description text"),
    (3501, "pg_enum", "oid oid, enumtypid oid, enumsortorder float4, enumlabel name"),
    (3466, "pg_event_trigger", "oid oid, evtname name, evtevent name, evtowner oid, evtfoid oid, evtenabled char, evttags _text"),
    (3079, "pg_extension", "oid oid, extname name, extowner oid, extnamespace oid, extrelocatable bool, extversion text, \
         extconfig _oid, extcondition _text"),
    (2328, "pg_foreign_data_wrapper", "oid oid, fdwname name, fdwowner oid, fdwhandler oid, fdwvalidator oid, fdwacl _text, fdwoptions \
         _text"),
    (1417, "pg_foreign_server", "oid oid, srvname name, srvowner oid, srvfdw oid, srvtype text, srvversion text, srvacl _text, \
         srvoptions _text"),
    (3118, "pg_foreign_table", "ftrelid oid, ftserver oid, ftoptions _text"),
    (2610, "pg_index", "indexrelid oid, indrelid oid, indnatts int2, indnkeyatts int2, indisunique bool, indnullsnotdistinct \
         bool, indisprimary bool, indisexclusion bool, indimmediate bool, indisclustered bool, indisvalid \
         bool, indcheckxmin bool, indisready bool, indislive bool, indisreplident bool, indkey _int2, \
         indcollation _oid, indclass _oid, indoption _int2, indexprs text, indpred text"),
    (12043, "pg_indexes", "schemaname name, tablename name, indexname name, tablespace name, indexdef text"),
    (2611, "pg_inherits", "inhrelid oid, inhparent oid, inhseqno int4, inhdetachpending bool"),
    (2612, "pg_language", "oid oid, lanname name, lanowner oid, lanispl bool, lanpltrusted bool, lanplcallfoid oid, laninline \
         oid, lanvalidator oid, lanacl _text"),
    (12073, "pg_locks", "locktype text, database oid, relation oid, page int4, tuple int2, virtualxid text, transactionid \
         oid, classid oid, objid oid, objsubid int2, virtualtransaction text, pid int4, mode text, granted \
         bool, fastpath bool, waitstart timestamptz"),
    (12038, "pg_matviews", "schemaname name, matviewname name, matviewowner name, tablespace name, hasindexes bool, ispopulated \
         bool, definition text"),
    (2615, "pg_namespace", "oid oid, nspname name, nspowner oid, nspacl _text"),
    (2616, "pg_opclass", "oid oid, opcmethod oid, opcname name, opcnamespace oid, opcowner oid, opcfamily oid, opcintype oid, \
         opcdefault bool, opckeytype oid"),
    (2617, "pg_operator", "oid oid, oprname name, oprnamespace oid, oprowner oid, oprkind char, oprcanmerge bool, oprcanhash \
         bool, oprleft oid, oprright oid, oprresult oid, oprcom oid, oprnegate oid, oprcode regproc, oprrest \
         regproc, oprjoin regproc"),
    (3350, "pg_partitioned_table", "partrelid oid, partstrat char, partnatts int2, partdefid oid, partattrs _int2, partclass _oid, \
         partcollation _oid, partexprs text"),
    (12018, "pg_policies", "schemaname name, tablename name, policyname name, permissive text, roles _name, cmd text, qual text, \
         with_check text"),
    (3256, "pg_policy", "oid oid, polname name, polrelid oid, polcmd char, polpermissive bool, polroles _oid, polqual text, \
         polwithcheck text"),
    (1255, "pg_proc", "oid oid, proname name, pronamespace oid, proowner oid, prolang oid, procost float4, prorows float4, \
         provariadic oid, prosupport regproc, prokind char, prosecdef bool, proleakproof bool, proisstrict \
         bool, proretset bool, provolatile char, proparallel char, pronargs int2, pronargdefaults int2, \
         prorettype oid, proargtypes _oid, proallargtypes _oid, proargmodes _char, proargnames _text, \
         proargdefaults text, protrftypes _oid, prosrc text, probin text, prosqlbody text, proconfig _text, \
         proacl _text"),
    (6104, "pg_publication", "oid oid, pubname name, pubowner oid, puballtables bool, pubinsert bool, pubupdate bool, pubdelete \
         bool, pubtruncate bool, pubviaroot bool"),
    (6237, "pg_publication_namespace", "oid oid, pnpubid oid, pnnspid oid"),
    (6106, "pg_publication_rel", "oid oid, prpubid oid, prrelid oid, prqual text, prattrs _int2"),
    (3541, "pg_range", "rngtypid oid, rngsubtype oid, rngmultitypid oid, rngcollation oid, rngsubopc oid, rngcanonical \
         regproc, rngsubdiff regproc"),
    (2618, "pg_rewrite", "oid oid, rulename name, ev_class oid, ev_type char, ev_enabled char, is_instead bool, ev_qual text, \
         ev_action text"),
    (12000, "pg_roles", "rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, rolcanlogin \
         bool, rolreplication bool, rolconnlimit int4, rolpassword text, rolvaliduntil timestamptz, \
         rolbypassrls bool, rolconfig _text, oid oid"),
    (2224, "pg_sequence", "seqrelid oid, seqtypid oid, seqstart int8, seqincrement int8, seqmax int8, seqmin int8, seqcache \
         int8, seqcycle bool"),
    (12048, "pg_sequences", "schemaname name, sequencename name, sequenceowner name, data_type regtype, start_value int8, \
         min_value int8, max_value int8, increment_by int8, cycle bool, cache_size int8, last_value int8"),
    (12104, "pg_settings", "name text, setting text, unit text, category text, short_desc text, extra_desc text, context text, \
         vartype text, source text, min_val text, max_val text, enumvals _text, boot_val text, reset_val \
         text, sourcefile text, sourceline int4, pending_restart bool"),
    (1214, "pg_shdepend", "dbid oid, classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, deptype char"),
    (2396, "pg_shdescription", "objoid oid, classoid oid, description text"),
    (12222, "pg_stat_activity", "datid oid, datname name, pid int4, leader_pid int4, usesysid oid, usename name, application_name \
         text, client_addr text, client_hostname text, client_port int4, backend_start timestamptz, \
         xact_start timestamptz, query_start timestamptz, state_change timestamptz, wait_event_type text, \
         wait_event text, state text, backend_xid oid, backend_xmin oid, query_id int8, query text, \
         backend_type text"),
    (12192, "pg_stat_user_indexes", "relid oid, indexrelid oid, schemaname name, relname name, indexrelname name, idx_scan int8, \
         idx_tup_read int8, idx_tup_fetch int8"),
    (12161, "pg_stat_user_tables", "relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8, idx_scan int8, \
         idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8, n_live_tup \
         int8, n_dead_tup int8, n_mod_since_analyze int8, n_ins_since_vacuum int8, last_vacuum timestamptz, \
         last_autovacuum timestamptz, last_analyze timestamptz, last_autoanalyze timestamptz, vacuum_count \
         int8, autovacuum_count int8, analyze_count int8, autoanalyze_count int8"),
    (12035, "pg_stats", "schemaname name, tablename name, attname name, inherited bool, null_frac float4, avg_width int4, \
         n_distinct float4, most_common_vals _text, most_common_freqs _float4, histogram_bounds _text, \
         correlation float4, most_common_elems _text, most_common_elem_freqs _float4, elem_count_histogram \
         _float4"),
    (3381, "pg_statistic_ext", "oid oid, stxrelid oid, stxname name, stxnamespace oid, stxowner oid, stxstattarget int4, stxkeys \
         _int2, stxkind _char, stxexprs text"),
    (12033, "pg_tables", "schemaname name, tablename name, tableowner name, tablespace name, hasindexes bool, hasrules bool, \
         hastriggers bool, rowsecurity bool"),
    (1213, "pg_tablespace", "oid oid, spcname name, spcowner oid, spcacl _text, spcoptions _text"),
    (2620, "pg_trigger", "oid oid, tgrelid oid, tgparentid oid, tgname name, tgfoid oid, tgtype int2, tgenabled char, \
         tgisinternal bool, tgconstrrelid oid, tgconstrindid oid, tgconstraint oid, tgdeferrable bool, \
         tginitdeferred bool, tgnargs int2, tgattr _int2, tgargs bytea, tgqual text, tgoldtable name, \
         tgnewtable name"),
    (3602, "pg_ts_config", "oid oid, cfgname name, cfgnamespace oid, cfgowner oid, cfgparser oid"),
    (1247, "pg_type", "oid oid, typname name, typnamespace oid, typowner oid, typlen int2, typbyval bool, typtype char, \
         typcategory char, typispreferred bool, typisdefined bool, typdelim char, typrelid oid, typsubscript \
         regproc, typelem oid, typarray oid, typinput regproc, typoutput regproc, typreceive regproc, typsend \
         regproc, typmodin regproc, typmodout regproc, typanalyze regproc, typalign char, typstorage char, \
         typnotnull bool, typbasetype oid, typtypmod int4, typndims int4, typcollation oid, typdefaultbin \
         text, typdefault text, typacl _text"),
    (12014, "pg_user", "usename name, usesysid oid, usecreatedb bool, usesuper bool, userepl bool, usebypassrls bool, passwd \
         text, valuntil timestamptz, useconfig _text"),
    (1418, "pg_user_mapping", "oid oid, umuser oid, umserver oid, umoptions _text"),
    (12028, "pg_views", "schemaname name, viewname name, viewowner name, definition text"),
];

/// information_schema
#[rustfmt::skip]
pub const INFORMATION_SCHEMA: &[Layout] = &[
    (13236, "applicable_roles", "grantee name, role_name name, is_grantable varchar"),
    (13250, "character_sets", "character_set_catalog name, character_set_schema name, character_set_name name, character_repertoire \
         name, form_of_use name, default_collate_catalog name, default_collate_schema name, \
         default_collate_name name"),
    (13260, "check_constraints", "constraint_catalog name, constraint_schema name, constraint_name name, check_clause varchar"),
    (13265, "collations", "collation_catalog name, collation_schema name, collation_name name, pad_attribute varchar"),
    (13285, "column_privileges", "grantor name, grantee name, table_catalog name, table_schema name, table_name name, column_name \
         name, privilege_type varchar, is_grantable varchar"),
    (13295, "columns", "table_catalog name, table_schema name, table_name name, column_name name, ordinal_position int4, \
         column_default varchar, is_nullable varchar, data_type varchar, character_maximum_length int4, \
         character_octet_length int4, numeric_precision int4, numeric_precision_radix int4, numeric_scale \
         int4, datetime_precision int4, interval_type varchar, interval_precision int4, character_set_catalog \
         name, character_set_schema name, character_set_name name, collation_catalog name, collation_schema \
         name, collation_name name, domain_catalog name, domain_schema name, domain_name name, udt_catalog \
         name, udt_schema name, udt_name name, scope_catalog name, scope_schema name, scope_name name, \
         maximum_cardinality int4, dtd_identifier name, is_self_referencing varchar, is_identity varchar, \
         identity_generation varchar, identity_start varchar, identity_increment varchar, identity_maximum \
         varchar, identity_minimum varchar, identity_cycle varchar, is_generated varchar, \
         generation_expression varchar, is_updatable varchar"),
    (13300, "constraint_column_usage", "table_catalog name, table_schema name, table_name name, column_name name, constraint_catalog name, \
         constraint_schema name, constraint_name name"),
    (13305, "constraint_table_usage", "table_catalog name, table_schema name, table_name name, constraint_catalog name, constraint_schema \
         name, constraint_name name"),
    (13320, "domains", "domain_catalog name, domain_schema name, domain_name name, data_type varchar, \
         character_maximum_length int4, character_octet_length int4, character_set_catalog name, \
         character_set_schema name, character_set_name name, collation_catalog name, collation_schema name, \
         collation_name name, numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, \
         datetime_precision int4, interval_type varchar, interval_precision int4, domain_default varchar, \
         udt_catalog name, udt_schema name, udt_name name, scope_catalog name, scope_schema name, scope_name \
         name, maximum_cardinality int4, dtd_identifier name"),
    (13325, "enabled_roles", "role_name name"),
    (13227, "information_schema_catalog_name", "catalog_name name"),
    (13329, "key_column_usage", "constraint_catalog name, constraint_schema name, constraint_name name, table_catalog name, \
         table_schema name, table_name name, column_name name, ordinal_position int4, \
         position_in_unique_constraint int4"),
    (13334, "parameters", "specific_catalog name, specific_schema name, specific_name name, ordinal_position int4, \
         parameter_mode varchar, is_result varchar, as_locator varchar, parameter_name name, data_type \
         varchar, character_maximum_length int4, character_octet_length int4, character_set_catalog name, \
         character_set_schema name, character_set_name name, collation_catalog name, collation_schema name, \
         collation_name name, numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, \
         datetime_precision int4, interval_type varchar, interval_precision int4, udt_catalog name, \
         udt_schema name, udt_name name, scope_catalog name, scope_schema name, scope_name name, \
         maximum_cardinality int4, dtd_identifier name, parameter_default varchar"),
    (13339, "referential_constraints", "constraint_catalog name, constraint_schema name, constraint_name name, unique_constraint_catalog \
         name, unique_constraint_schema name, unique_constraint_name name, match_option varchar, update_rule \
         varchar, delete_rule varchar"),
    (13421, "role_table_grants", "grantor name, grantee name, table_catalog name, table_schema name, table_name name, privilege_type \
         varchar, is_grantable varchar, with_hierarchy varchar"),
    (13377, "routines", "specific_catalog name, specific_schema name, specific_name name, routine_catalog name, \
         routine_schema name, routine_name name, routine_type varchar, module_catalog name, module_schema \
         name, module_name name, udt_catalog name, udt_schema name, udt_name name, data_type varchar, \
         character_maximum_length int4, character_octet_length int4, character_set_catalog name, \
         character_set_schema name, character_set_name name, collation_catalog name, collation_schema name, \
         collation_name name, numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, \
         datetime_precision int4, interval_type varchar, interval_precision int4, type_udt_catalog name, \
         type_udt_schema name, type_udt_name name, scope_catalog name, scope_schema name, scope_name name, \
         maximum_cardinality int4, dtd_identifier name, routine_body varchar, routine_definition varchar, \
         external_name varchar, external_language varchar, parameter_style varchar, is_deterministic varchar, \
         sql_data_access varchar, is_null_call varchar, sql_path varchar, schema_level_routine varchar, \
         max_dynamic_result_sets int4, is_user_defined_cast varchar, is_implicitly_invocable varchar, \
         security_type varchar, to_sql_specific_catalog name, to_sql_specific_schema name, \
         to_sql_specific_name name, as_locator varchar, created timestamptz, last_altered timestamptz, \
         new_savepoint_level varchar, is_udt_dependent varchar, result_cast_from_data_type varchar, \
         result_cast_as_locator varchar, result_cast_char_max_length int4, result_cast_char_octet_length \
         int4, result_cast_char_set_catalog name, result_cast_char_set_schema name, result_cast_char_set_name \
         name, result_cast_collation_catalog name, result_cast_collation_schema name, \
         result_cast_collation_name name, result_cast_numeric_precision int4, \
         result_cast_numeric_precision_radix int4, result_cast_numeric_scale int4, \
         result_cast_datetime_precision int4, result_cast_interval_type varchar, \
         result_cast_interval_precision int4, result_cast_type_udt_catalog name, result_cast_type_udt_schema \
         name, result_cast_type_udt_name name, result_cast_scope_catalog name, result_cast_scope_schema name, \
         result_cast_scope_name name, result_cast_maximum_cardinality int4, result_cast_dtd_identifier name"),
    (13382, "schemata", "catalog_name name, schema_name name, schema_owner name, default_character_set_catalog name, \
         default_character_set_schema name, default_character_set_name name, sql_path varchar"),
    (13386, "sequences", "sequence_catalog name, sequence_schema name, sequence_name name, data_type varchar, \
         numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, start_value varchar, \
         minimum_value varchar, maximum_value varchar, increment varchar, cycle_option varchar"),
    (13411, "table_constraints", "constraint_catalog name, constraint_schema name, constraint_name name, table_catalog name, \
         table_schema name, table_name name, constraint_type varchar, is_deferrable varchar, \
         initially_deferred varchar, enforced varchar, nulls_distinct varchar"),
    (13416, "table_privileges", "grantor name, grantee name, table_catalog name, table_schema name, table_name name, privilege_type \
         varchar, is_grantable varchar, with_hierarchy varchar"),
    (13425, "tables", "table_catalog name, table_schema name, table_name name, table_type varchar, \
         self_referencing_column_name name, reference_generation varchar, user_defined_type_catalog name, \
         user_defined_type_schema name, user_defined_type_name name, is_insertable_into varchar, is_typed \
         varchar, commit_action varchar"),
    (13440, "triggers", "trigger_catalog name, trigger_schema name, trigger_name name, event_manipulation varchar, \
         event_object_catalog name, event_object_schema name, event_object_table name, action_order int4, \
         action_condition varchar, action_statement varchar, action_orientation varchar, action_timing \
         varchar, action_reference_old_table name, action_reference_new_table name, action_reference_old_row \
         name, action_reference_new_row name, created timestamptz"),
    (13454, "usage_privileges", "grantor name, grantee name, object_catalog name, object_schema name, object_name name, object_type \
         varchar, privilege_type varchar, is_grantable varchar"),
    (13478, "view_table_usage", "view_catalog name, view_schema name, view_name name, table_catalog name, table_schema name, \
         table_name name"),
    (13483, "views", "table_catalog name, table_schema name, table_name name, view_definition varchar, check_option \
         varchar, is_updatable varchar, is_insertable_into varchar, is_trigger_updatable varchar, \
         is_trigger_deletable varchar, is_trigger_insertable_into varchar"),
];

/// isobar: what PostgreSQL has no views of.
#[rustfmt::skip]
pub const ISOBAR: &[Layout] = &[
    (15001, "procedures", "oid oid, name name, owner name, version int4, digest text, size int8, definer bool, deployed_at \
         timestamptz, routines text, imports _text, limits jsonb"),
    (15002, "procedure_versions", "name name, version int4, active bool, digest text, size int8, definer bool, deployed_at \
         timestamptz, routines text, imports _text"),
    (15003, "procedure_calls", "procedure name, routine name, calls int8, errors jsonb, median_us int8, p99_us int8, longest_us \
         int8, total_us int8, memory_peak_bytes int8, statements int8"),
    (15004, "procedure_logs", "logged_at timestamptz, procedure name, routine name, caller name, level text, message text"),
];
