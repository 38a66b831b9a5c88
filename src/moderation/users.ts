import { Value } from '@sinclair/typebox/value'
import { Argument, type Command } from 'commander'
import { createPasswords } from '../access/passwords'
import { addCommand, type CommandContext, counted, inWords, oneOf, operator } from '../cli/command'
import type { Db } from '../db/client'
import { BUILT_IN_USER_ID } from '../db/schema'
import { Failure, OperatorError } from '../errors'
import { createOperatorsService, type OperatorsService } from '../operators/service'
import { type Permission, permissions } from '../permissions'
import { parseId } from '../rules/fields'
import { problemsOf } from '../rules/objects'
import { quoted } from '../rules/suggest'
import { Registration, userJson } from '../users/model'
import { createUsersService } from '../users/service'
import { findUser, findUserByLogin, listUsers } from '../users/store'
import { visibleJson } from '../visible'

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

function addList(users: Command, { withDatabase, print, printText, table }: CommandContext) {
  addCommand(users, 'list', {
    summary: 'List all users',
    examples: ['redlight users list', 'redlight users list --json'],
  })
    .option('--json', 'print JSON')
    .action(({ json }: { json?: true }) =>
      withDatabase(async ({ db }) => {
        if (json) {
          const all = await Array.fromAsync(pagesOf(db))
          const found = all.flat().map((user) => ({ ...userJson(user), permissions: user.permissions }))
          return printText(visibleJson({ users: found }))
        }
        const show = table('ID', 'EMAIL', 'USERNAME', 'STATE', 'PERMISSIONS', 'NAME')
        let total = 0
        for await (const page of pagesOf(db)) {
          total += page.length
          show(page.map(cellsOf))
        }
        print(counted(total, 'user'))
      }),
    )
}

async function* pagesOf(db: Db) {
  for (let page = await listUsers(db, 0, PAGE); page.length > 0; ) {
    yield page
    page = await listUsers(db, page.at(-1)?.id ?? 0, PAGE)
  }
}

const cellsOf = ({ id, email, username, name, activated, permissions }: User) => [
  id,
  email,
  username,
  activated ? 'active' : 'inactive',
  permissions.join(),
  name,
]

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
        const { id, email } = await service.add(Value.Decode(Registration, given))
        print(`Added ${email} as user ${id}.`)
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
  readonly work: (admin: OperatorsService, user: User, wanted: Permission[]) => Promise<string>
}

const forOne: Readonly<Record<string, ForOne>> = {
  activate: {
    summary: 'Activate a user without a mail',
    async work(admin, user) {
      const isNew = await admin.activate(operator(), user)
      return isNew ? `Activated ${nameOf(user)}.` : `${nameOf(user)} is active already; nothing changed.`
    },
  },
  grant: {
    summary: 'Grant permissions',
    takesPermissions: true,
    async work(admin, user, wanted) {
      const granted = await admin.grant(operator(), user, wanted)
      if (granted.length > 0) return `Granted ${granted.join(' and ')} to ${nameOf(user)}.`
      return `${nameOf(user)} has ${wanted.join(' and ')} already; nothing changed.`
    },
  },
  revoke: {
    summary: 'Revoke permissions',
    takesPermissions: true,
    async work(admin, user, wanted) {
      const revoked = await admin.revoke(operator(), user, wanted)
      if (revoked.length > 0) return `Revoked ${revoked.join(' and ')} from ${nameOf(user)}.`
      return `${nameOf(user)} didn't have ${wanted.join(' or ')}; nothing changed.`
    },
  },
  remove: {
    summary: 'Remove a user; Redlight gets their movies',
    async work(admin, user) {
      const movies = await admin.remove(operator(), user.id)
      if (movies === undefined) throw new Failure('notFound')
      const left =
        movies === 0
          ? ''
          : ` Their ${counted(movies, 'movie')} now ${movies === 1 ? 'belongs' : 'belong'} to the account Redlight.`
      return `Removed ${nameOf(user)}, user ${user.id}.${left}`
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
      const admin = createOperatorsService({ db, forgetPrincipal: () => {} })
      print(await work(admin, user, takesPermissions ? wanted : []).catch(unlessGone(login)))
    }),
  )
}

const permissionArgument = () =>
  new Argument('<permission...>')
    .choices(permissions)
    .argParser((text: string, before: Permission[] = []) => [...before, oneOf(permissions)(text)])
