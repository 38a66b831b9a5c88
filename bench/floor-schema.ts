import type postgres from 'postgres'
import { FIRST_USER_ID, USERS } from './users'

const schema = `
create table movies (
  id bigserial primary key,
  title text not null unique,
  year integer not null,
  runtime integer not null,
  genres text[] not null,
  director text,
  "cast" text[],
  release_date date,
  synopsis text,
  created_by bigint not null,
  version integer not null default 1
);
create index movies_title_words_idx on movies using gin (to_tsvector('simple', title));
create index movies_genres_idx on movies using gin (genres);
create table users (id bigint primary key, name text not null, username text);
create table users_permissions (user_id bigint, permission text, primary key (user_id, permission));
create table tokens (hash bytea primary key, user_id bigint not null, expires_at timestamptz not null)`

export async function createFloorSchema(sql: postgres.Sql) {
  await sql.unsafe(schema)
}

/** A token for each of the bench's users; the database stores its hash. */
export async function insertTokens(sql: postgres.Sql): Promise<string[]> {
  const tokens = Array.from({ length: USERS }, () => crypto.randomUUID().replaceAll('-', ''))
  for (const [user, token] of tokens.entries()) {
    const id = FIRST_USER_ID + user
    await sql`insert into tokens values (${tokenHash(token)}, ${id}, now() + interval '1 day')`
    await sql`insert into users_permissions values (${id}, 'movies:read'), (${id}, 'movies:write')`
  }
  await sql`vacuum analyze`
  return tokens
}

export const tokenHash = (token: string) => new Bun.CryptoHasher('sha256').update(token).digest()
