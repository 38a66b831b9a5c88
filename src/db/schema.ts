import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  customType,
  date,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { permissions } from '../permissions'

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' })
const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' })
const oneOf = (column: AnyPgColumn, values: readonly string[]) =>
  sql`${column} in (${sql.raw(values.map((value) => `'${value}'`).join(', '))})`

export const tokenScopes = ['activation', 'password-reset', 'email-change'] as const
/** What the token in a mail is good for. */
export type TokenScope = (typeof tokenScopes)[number]
export const mailKinds = [...tokenScopes, 'email-changed', 'password-changed'] as const
/** What a mail is about: a token, or news. */
export type MailKind = (typeof mailKinds)[number]

/** The account that owns the initial movies and those of removed users; nobody can sign in to it. */
export const BUILT_IN_USER_ID = 1

/** The words of a movie that `q` looks for (decision 19). */
export const wordsOfMovie = sql`(title_words || coalesce(director_words, ''::tsvector) || coalesce(cast_words, ''::tsvector))`

export const movies = pgTable(
  'movies',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    title: text().notNull(),
    year: integer().notNull(),
    /** Null only for an imported movie; the same holds for an empty list of genres. */
    runtime: integer(),
    genres: text().array().notNull(),
    director: text(),
    cast: text().array(),
    // Content columns are named as in JSON.
    release_date: date(),
    synopsis: text(),
    poster: text(),
    imdb_id: text(),
    external_id: text(),
    createdBy: bigint('created_by', { mode: 'number' })
      .notNull()
      .default(BUILT_IN_USER_ID)
      .references((): AnyPgColumn => users.id, { onDelete: 'set default' }),
    version: integer().notNull().default(1),
    titleWords: tsvector('title_words').generatedAlwaysAs(sql`search_words(title)`),
    directorWords: tsvector('director_words').generatedAlwaysAs(sql`search_words(director)`),
    castWords: tsvector('cast_words').generatedAlwaysAs(sql`search_words("cast")`),
    genreKeys: text('genre_keys').array().generatedAlwaysAs(sql`genre_keys(genres)`),
  },
  (table) => [
    uniqueIndex('movies_title_key').on(sql`title_key(${table.title})`),
    uniqueIndex('movies_imdb_id_key').on(table.imdb_id).where(sql`${table.imdb_id} is not null`),
    uniqueIndex('movies_external_id_key').on(table.external_id).where(sql`${table.external_id} is not null`),
    // In kB: recent additions are searched one by one until a writer has to merge them.
    index('movies_search_idx')
      .using('gin', table.titleWords, table.genreKeys, table.directorWords, table.castWords)
      .with({ gin_pending_list_limit: 256 }),
    index('movies_words_idx').using('gin', wordsOfMovie).with({ gin_pending_list_limit: 256 }),
    index('movies_letters_idx').on(sql`search_letters(${table.title}) collate "C"`),
    index('movies_created_by_idx').on(table.createdBy, table.id),
    index('movies_title_idx').on(sql`${table.title} collate "und-x-icu"`, table.id),
    index('movies_title_desc_idx').on(sql`${table.title} collate "und-x-icu" desc`, table.id),
    index('movies_year_idx').on(table.year, table.id),
    index('movies_year_desc_idx').on(table.year.desc().nullsFirst(), table.id),
    index('movies_runtime_idx').on(table.runtime, table.id),
    // For the previous release, which sorts unknown runtimes first; drop it in the next one.
    index('movies_runtime_desc_idx').on(table.runtime.desc().nullsFirst(), table.id),
    index('movies_runtime_desc_nulls_last_idx').on(table.runtime.desc().nullsLast(), table.id),
    index('movies_release_date_idx').on(table.release_date, table.id),
    index('movies_release_date_desc_idx').on(table.release_date.desc().nullsLast(), table.id),
    // One call, which names the constraint of the column: each insert reads the text of each constraint anew, and that of
    // one per column took a fifth of it.
    check(
      'movies_check',
      sql`check_movie(title, year, runtime, genres, director, "cast", release_date, synopsis, poster, imdb_id, external_id)`,
    ),
  ],
)

/** Lower case for ASCII only, like `foldCase`: plain lower() follows the database's locale. */
export const folded = (name: AnyPgColumn) => sql`lower(${name} collate "C")`

export const users = pgTable(
  'users',
  {
    id: bigint({ mode: 'number' })
      .primaryKey()
      .generatedAlwaysAsIdentity({ startWith: BUILT_IN_USER_ID + 1 }),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    name: text().notNull(),
    email: text(),
    /** Takes the place of `email` once the mail that was sent there is answered. */
    pendingEmail: text('pending_email'),
    username: text(),
    passwordHash: text('password_hash'),
    activated: boolean().notNull().default(false),
    tokenGeneration: integer('token_generation').notNull().default(1),
  },
  (table) => [
    uniqueIndex('users_email_key').on(folded(table.email)),
    uniqueIndex('users_username_key').on(folded(table.username)),
    index('users_inactive_idx').on(table.createdAt).where(sql`not ${table.activated}`),
    check('users_name_check', sql`char_length(${table.name}) between 1 and 500`),
    check('users_email_check', sql`octet_length(${table.email}) between 3 and 254`),
    check('users_username_check', sql`${table.username} ~ '^[A-Za-z][A-Za-z0-9]{2,31}$'`),
    check(
      'users_built_in_check',
      sql`(${table.id} = ${sql.raw(String(BUILT_IN_USER_ID))}) = (${table.email} is null) and (${table.email} is null) = (${table.passwordHash} is null)`,
    ),
  ],
)

const userId = () =>
  bigint('user_id', { mode: 'number' })
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' })

export const usersPermissions = pgTable(
  'users_permissions',
  { userId: userId(), permission: text().notNull() },
  (table) => [
    primaryKey({ columns: [table.userId, table.permission] }),
    check('users_permissions_permission_check', oneOf(table.permission, permissions)),
  ],
)

/** Tokens of mails, as SHA-256 hashes. */
export const tokens = pgTable(
  'tokens',
  {
    hash: bytea().primaryKey(),
    userId: userId(),
    scope: text().notNull(),
    /** The address that an email-change token was sent to, and is good for. */
    email: text(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
  },
  (table) => [
    index('tokens_user_id_idx').on(table.userId),
    index('tokens_expires_at_idx').on(table.expiresAt),
    check('tokens_scope_check', oneOf(table.scope, tokenScopes)),
  ],
)

/** API keys, as SHA-256 hashes. The prefix helps their owner tell them apart. */
export const keys = pgTable(
  'keys',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    userId: userId(),
    name: text().notNull(),
    prefix: text().notNull(),
    hash: bytea().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    lastUsedOn: date('last_used_on'),
  },
  (table) => [
    uniqueIndex('keys_hash_key').on(table.hash),
    index('keys_user_id_idx').on(table.userId),
    check('keys_name_check', sql`char_length(${table.name}) between 1 and 100`),
  ],
)

/** The outbox: a mail is stored here before it is sent. */
export const mails = pgTable(
  'mails',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    userId: userId(),
    kind: text().notNull(),
    /** Null for the user's own address. */
    recipient: text(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    attempts: integer().notNull().default(0),
    dueAt: timestamp('due_at', { withTimezone: true }).notNull().defaultNow(),
    sentAt: timestamp('sent_at', { withTimezone: true }),
    failedAt: timestamp('failed_at', { withTimezone: true }),
    lastError: text('last_error'),
  },
  (table) => [
    index('mails_due_idx').on(table.dueAt).where(sql`${table.sentAt} is null and ${table.failedAt} is null`),
    index('mails_sent_at_idx').on(table.sentAt),
    index('mails_user_id_idx').on(table.userId),
    check('mails_kind_check', oneOf(table.kind, mailKinds)),
  ],
)

export const favourites = pgTable(
  'favourites',
  {
    userId: userId(),
    movieId: bigint('movie_id', { mode: 'number' })
      .notNull()
      .references(() => movies.id, { onDelete: 'cascade' }),
    addedAt: timestamp('added_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.movieId] }),
    index('favourites_movie_id_idx').on(table.movieId),
    index('favourites_added_at_idx').on(table.userId, table.addedAt.desc().nullsFirst(), table.movieId),
  ],
)

/**
 * Number of movies in each block of 100,000 ids, as the sum of 16 slots that triggers keep. A count(*) of a
 * million movies takes a third of a second, and a single row would make all writers wait for each other. The
 * blocks also locate the movies of a far page.
 */
export const movieCounts = pgTable(
  'movie_counts',
  {
    firstId: bigint('first_id', { mode: 'number' }).notNull(),
    slot: integer().notNull(),
    movies: bigint({ mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.firstId, table.slot] })],
)

/**
 * The version of the catalogue, as the sum of slots that triggers raise: every commit that changes what a list says
 * of movies or their creators changes the sum. One slot would make all writers wait for each other.
 */
export const catalogueVersions = pgTable('catalogue_versions', {
  slot: integer().primaryKey(),
  version: bigint({ mode: 'number' }).notNull(),
})

/** Words of past and present titles, kept by triggers. No key: two writers of one word needn't wait. */
export const knownWords = pgTable('known_words', { word: text().notNull() }, (table) => [
  // Compared by their bytes, as a language's order takes several times as long.
  index('known_words_word_idx').on(sql`${table.word} collate "C"`),
  index('known_words_forms_idx')
    .using('gin', sql`search_forms(${table.word}) collate "C"`)
    .with({ fastupdate: false }),
])

/** Initial movies that have been loaded, so that a deleted one stays deleted. */
export const seededMovies = pgTable('seeded_movies', { title: text().primaryKey() })

/**
 * The trail of who did what (contract section 13). Names are copied and nothing is referred to, so that an
 * event outlives its user and its movie.
 */
export const auditEvents = pgTable(
  'audit_events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at: timestamp({ withTimezone: true }).notNull().defaultNow(),
    /** Null for the command line. */
    actorId: bigint('actor_id', { mode: 'number' }),
    actorName: text('actor_name'),
    action: text().notNull(),
    subjectKind: text('subject_kind').notNull(),
    /** Null for the catalogue. */
    subjectId: bigint('subject_id', { mode: 'number' }),
    subjectName: text('subject_name').notNull(),
    detail: json().notNull().default({}),
    requestId: text('request_id'),
  },
  (table) => [
    index('audit_events_at_idx').on(table.at),
    index('audit_events_actor_idx').on(table.actorId, table.id),
    index('audit_events_action_idx').on(table.action, table.id),
    index('audit_events_subject_idx').on(table.subjectKind, table.subjectId, table.id),
  ],
)
