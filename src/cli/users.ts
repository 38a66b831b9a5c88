import { Value } from '@sinclair/typebox/value'
import { Argument, type Command } from 'commander'
import { createPasswords } from '../access/passwords'
import { grant, revoke } from '../access/store'
import type { Db } from '../db/client'
import { BUILT_IN_USER_ID } from '../db/schema'
import { Failure, OperatorError } from '../errors'
import { type Permission, permissions } from '../permissions'
import { parseId } from '../rules/fields'
import { problemsOf } from '../rules/objects'
import { quoted } from '../rules/suggest'
import { Registration } from '../users/model'
import { createUsersService } from '../users/service'
import { activateUser, findUser, findUserByLogin, listUsers } from '../users/store'
import { addCommand, type CommandContext, oneOf } from './command'

const PAGE = 500

export function usersCommand(program: Command, context: CommandContext) {
  const users = addCommand(program, 'users', {
    summary: 'Manage users and their permissions',
    examples: [
      'redlight users add --email alice@example.com --name Alice < password-file',
      'redlight users grant alice@example.com movies:write',
    ],
  })
  addList(users, context)
  addAdd(users, context)
  for (const [name, about] of Object.entries(forOne)) addForOne(users, name, about, context)
}

function addList(users: Command, { withDatabase, print }: CommandContext) {
  addCommand(users, 'list', {
    summary: 'List all users',
    details: 'A line each: id, email address, username, state, permissions, name.',
    examples: ['redlight users list'],
  }).action(() =>
    withDatabase(async ({ db }) => {
      let page = await listUsers(db, 0, PAGE)
      while (page.length > 0) {
        for (const { id, email, username, name, activated, permissions } of page) {
          const state = activated ? 'active' : 'inactive'
          print(id, email ?? '-', username ?? '-', state, permissions.join(',') || '-', name)
        }
        page = await listUsers(db, page.at(-1)?.id ?? 0, PAGE)
      }
    }),
  )
}

function addAdd(users: Command, { withDatabase, print, readInput }: CommandContext) {
  addCommand(users, 'add', {
    summary: 'Add a user (password from standard input)',
    examples: ['redlight users add --email alice@example.com --name Alice < password-file'],
  })
    .option('--email <address>', 'their email address')
    .option('--name <name>', 'their name, which all users see')
    .option('--username <name>', 'a name to sign in with')
    .action(async (options: { email?: string; name?: string; username?: string }) => {
      // Strips the line break that the shell added; the rest is the password.
      const given = { ...options, password: (await readInput()).replace(/\r?\n$/, '') }
      const problems = problemsOf(Registration, given, 'is not known')
      if (problems !== undefined) throw new OperatorError(inWords(problems))
      await withDatabase(async ({ db }, { defaultPermissions }) => {
        const service = usersService(db, defaultPermissions)
        const user = await service.add(Value.Decode(Registration, given)).catch((error) => {
          const reason = error instanceof Failure ? error.detail.error : undefined
          throw typeof reason === 'object' ? new OperatorError(inWords(reason)) : error
        })
        print(`Added user ${user.id}.`)
      })
    })
}

/** The users service without a server's cache and outbox; they learn of changes from the database. */
const usersService = (db: Db, defaultPermissions: readonly Permission[]) =>
  createUsersService({
    db,
    passwords: createPasswords(),
    defaultPermissions,
    forgetPrincipal: () => {},
    mailIsDue: () => {},
  })

export const inWords = (problems: Readonly<Record<string, string>>) =>
  Object.entries(problems)
    .map(([field, problem]) => `${field} ${problem}`)
    .join('; ')

/** The built-in account has no password, and no keys. */
export function requireNotBuiltIn({ id }: User) {
  if (id === BUILT_IN_USER_ID) throw new OperatorError('the account Redlight is built in and stays as it is')
}

export const nameOf = ({ id, email, username }: Pick<User, 'id' | 'email' | 'username'>) =>
  email ?? username ?? `user ${id}`

/** By id, email address or username; throws if there is no such user. */
export async function userNamed(db: Db, text: string) {
  const id = parseId(text)
  const user = id === undefined ? await findUserByLogin(db, text) : await findUser(db, id)
  if (user === undefined) throw noUser(text)
  return user
}

const noUser = (text: string) =>
  new OperatorError(`there is no user ${quoted(text)}; "redlight users list" shows all`)

/** Reports a user who has been removed meanwhile like an unknown one. */
export const unlessGone =
  (text: string) =>
  (error: unknown): never => {
    throw error instanceof Failure && error.code === 'notFound' ? noUser(text) : error
  }

type User = Awaited<ReturnType<typeof userNamed>>
type ForOne = {
  readonly summary: string
  readonly takesPermissions?: true
  /** Returns the line to print. */
  readonly work: (db: Db, user: User, wanted: Permission[]) => Promise<string>
}

const forOne: Readonly<Record<string, ForOne>> = {
  activate: {
    summary: 'Activate a user without a mail',
    async work(db, user) {
      if ((await activateUser(db, user.id)) === undefined) throw new Failure('notFound')
      return `Activated ${nameOf(user)}.`
    },
  },
  grant: {
    summary: 'Grant permissions',
    takesPermissions: true,
    async work(db, user, wanted) {
      await grant(db, user.id, wanted)
      return `Granted ${wanted.join(' and ')} to ${nameOf(user)}.`
    },
  },
  revoke: {
    summary: 'Revoke permissions',
    takesPermissions: true,
    async work(db, user, wanted) {
      const revoked = await revoke(db, user.id, wanted)
      if (revoked.length > 0) return `Revoked ${revoked.join(' and ')} from ${nameOf(user)}.`
      return `${nameOf(user)} didn't have ${wanted.join(' or ')}; nothing changed.`
    },
  },
  remove: {
    summary: 'Remove a user; Redlight gets their movies',
    async work(db, user) {
      if (!(await usersService(db, []).remove(user.id))) throw new Failure('notFound')
      return `Removed ${nameOf(user)}; their movies now belong to the account Redlight.`
    },
  },
}

function addForOne(users: Command, name: string, about: ForOne, { withDatabase, print }: CommandContext) {
  const { summary, takesPermissions = false, work } = about
  const example = `redlight users ${name} alice@example.com${takesPermissions ? ' movies:write' : ''}`
  const command = addCommand(users, name, { summary, examples: [example] }).argument(
    '<user>',
    'id, email address or username',
  )
  if (takesPermissions) command.addArgument(permissionArgument())
  command.action((login: string, wanted: Permission[]) =>
    withDatabase(async ({ db }) => {
      const user = await userNamed(db, login)
      requireNotBuiltIn(user)
      print(await work(db, user, takesPermissions ? wanted : []).catch(unlessGone(login)))
    }),
  )
}

const permissionArgument = () =>
  new Argument('<permission...>')
    .choices(permissions)
    .argParser((text: string, before: Permission[] = []) => [...before, oneOf(permissions)(text)])
