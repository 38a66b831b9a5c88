import type { Command } from 'commander'
import { addCommand, type CommandContext, counted, inWords, operator } from '../cli/command'
import type { Db } from '../db/client'
import { Failure, OperatorError, UsageError } from '../errors'
import { KeyInput, keyJson } from '../keys/model'
import { createKeysService } from '../keys/service'
import { listAllKeys, type OwnedKey } from '../keys/store'
import { parseId } from '../rules/fields'
import { problemsOf } from '../rules/objects'
import { quoted } from '../rules/suggest'
import { visibleJson } from '../visible'
import { nameOf, requireNotBuiltIn, unlessGone, userNamed } from './named-users'

const PAGE = 500

export function keysCommand(program: Command, context: CommandContext) {
  const keys = addCommand(program, 'keys', {
    summary: 'Manage the API keys of users',
    details: 'With a key, a program reads movies for its owner, and does nothing else.',
    examples: ['redlight keys add alice@example.com --name TV', 'redlight keys revoke 3'],
  })
  addList(keys, context)
  addAdd(keys, context)
  addRevoke(keys, context)
}

function addList(keys: Command, { withDatabase, print, printText, table }: CommandContext) {
  addCommand(keys, 'list', {
    summary: 'List the keys of all users, or of one',
    examples: ['redlight keys list', 'redlight keys list alice@example.com --json'],
  })
    .argument('[user]', 'id, email address or username')
    .option('--json', 'print JSON')
    .action((login: string | undefined, { json }: { json?: true }) =>
      withDatabase(async ({ db }) => {
        const userId = login === undefined ? undefined : (await userNamed(db, login)).id
        const found = await allKeys(db, userId)
        if (json) return printText(visibleJson({ keys: found.map(ownedKeyJson) }))
        if (found.length > 0)
          table('ID', 'BEGINS', 'OWNER', 'CREATED', 'LAST USED', 'NAME')(found.map(cellsOf))
        print(counted(found.length, 'key'))
      }),
    )
}

function cellsOf(key: OwnedKey) {
  const { created_at, last_used_on } = keyJson(key)
  return [key.id, key.prefix, nameOf(key.owner), created_at, last_used_on, key.name]
}

async function allKeys(db: Db, userId: number | undefined): Promise<OwnedKey[]> {
  const all: OwnedKey[] = []
  let page: OwnedKey[]
  do {
    page = await listAllKeys(db, { userId, beforeId: all.at(-1)?.id, limit: PAGE })
    all.push(...page)
  } while (page.length === PAGE)
  return all
}

const ownedKeyJson = (key: OwnedKey) => ({ ...keyJson(key), owner: key.owner })

/** The keys service without a server's cache, which learns of changes from the database. */
const keysService = (db: Db) => createKeysService({ db, forgetPrincipal: () => {} })

function addAdd(keys: Command, { withDatabase, print }: CommandContext) {
  addCommand(keys, 'add', {
    summary: 'Make a key for a user, and print it: it is never shown again',
    examples: ['redlight keys add alice@example.com --name TV'],
  })
    .argument('<user>', 'id, email address or username')
    .option('--name <name>', 'what it is for', 'command line')
    .action((login: string, { name }: { name: string }) => {
      const problems = problemsOf(KeyInput, { name }, 'is not known')
      if (problems !== undefined) throw new OperatorError(inWords(problems))
      return withDatabase(async ({ db }) => {
        const user = await userNamed(db, login)
        requireNotBuiltIn(user)
        const { secret } = await keysService(db).create(operator(), user.id, name).catch(inTheirWords(login))
        print(secret)
      })
    })
}

/** A refusal as the operator reads it. */
const inTheirWords =
  (login: string) =>
  (error: unknown): never => {
    const reason = error instanceof Failure ? error.detail.error : undefined
    if (typeof reason === 'object')
      throw new OperatorError(`${login} already has the most keys that are allowed: revoke one first`)
    return unlessGone(login)(error)
  }

function addRevoke(keys: Command, { withDatabase, print }: CommandContext) {
  addCommand(keys, 'revoke', {
    summary: 'Revoke a key',
    examples: ['redlight keys revoke 3'],
  })
    .argument('<id>', 'as "redlight keys list" shows it', toId)
    .action((id: number) =>
      withDatabase(async ({ db }) => {
        const { name, prefix } = await keysService(db).revoke(operator(), id).catch(unlessMissing(id))
        print(`Revoked key ${id} (${prefix}…, ${quoted(name)}).`)
      }),
    )
}

function toId(text: string): number {
  const id = parseId(text)
  if (id === undefined) throw new UsageError(`${quoted(text)} is not the id of a key`)
  return id
}

const unlessMissing =
  (id: number) =>
  (error: unknown): never => {
    throw error instanceof Failure && error.code === 'notFound'
      ? new OperatorError(`there is no key ${id}; "redlight keys list" shows all`)
      : error
  }
