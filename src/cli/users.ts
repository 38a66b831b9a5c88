import { Value } from '@sinclair/typebox/value'
import { createPasswords } from '../access/passwords'
import { grant, revoke } from '../access/store'
import type { Db } from '../db/client'
import { BUILT_IN_USER_ID } from '../db/schema'
import { Failure, OperatorError } from '../errors'
import { isPermission, type Permission, permissions } from '../permissions'
import { parseId } from '../rules/fields'
import { problemsOf } from '../rules/objects'
import { didYouMean, shown } from '../rules/suggest'
import { Registration } from '../users/model'
import { createUsersService } from '../users/service'
import { activateUser, findUser, findUserByLogin, listUsers } from '../users/store'
import { type Command, options, type Subcommand, subcommandOf, UsageError, words } from './command'

const PAGE = 500

export const usersCommand: Command = {
  name: 'users',
  summary: 'List, add, activate and remove users, and say what they may do',
  usage: `
Usage: redlight users list
       redlight users add --email ADDRESS [--name NAME] [--username NAME]
       redlight users activate USER
       redlight users grant USER PERMISSION...
       redlight users revoke USER PERMISSION...
       redlight users remove USER

USER is an id, an email address or a username.
PERMISSION is ${permissions.join(' or ')}.
The password of a new user is read from standard input.
A user who is removed leaves their films to the account Redlight; favourites,
tokens and unsent mail go.

Examples:
  redlight users add --email alice@example.com --name Alice < password-file
  redlight users grant alice@example.com movies:write`,

  async run([name, ...args], context) {
    const table = { list, add, activate, grant: give, revoke: take, remove }
    await subcommandOf(table, name)(args, context)
  },
}

const list: Subcommand = async (args, { withDatabase, print }) => {
  words(args, [])
  await withDatabase(async ({ db }) => {
    for (
      let after = 0, page = await listUsers(db, 0, PAGE);
      page.length > 0;
      page = await listUsers(db, after, PAGE)
    ) {
      for (const { id, email, username, name, activated, permissions } of page) {
        print(
          id,
          email ?? '-',
          username ?? '-',
          activated ? 'active' : 'inactive',
          permissions.join(',') || '-',
          name,
        )
        after = id
      }
    }
  })
}

const add: Subcommand = async (args, { withDatabase, print, readInput }) => {
  const { email, name, username } = options(args, ['email', 'name', 'username'])
  // The line's end belongs to the shell, everything before it to the password.
  const password = (await readInput()).replace(/\r?\n$/, '')
  const registration = { email, name, username, password }
  const given = Object.fromEntries(Object.entries(registration).filter(([, value]) => value !== undefined))
  const problems = problemsOf(Registration, given, 'is not known')
  if (problems !== undefined) throw new OperatorError(inWords(problems))
  await withDatabase(async ({ db }, { defaultPermissions }) => {
    const users = createUsersService({
      db,
      passwords: createPasswords(),
      defaultPermissions,
      forgetPrincipal: () => {},
      mailIsDue: () => {},
    })
    const user = await users.add(Value.Decode(Registration, given)).catch((error) => {
      const reason = error instanceof Failure ? error.detail.error : undefined
      throw typeof reason === 'object' ? new OperatorError(inWords(reason)) : error
    })
    print(`Added user ${user.id}.`)
  })
}

const inWords = (problems: Readonly<Record<string, string>>) =>
  Object.entries(problems)
    .map(([field, problem]) => `${field} ${problem}`)
    .join('; ')

/** By id, email address or username; throws when there is none, or when it is the built-in one. */
export async function userNamed(db: Db, text: string) {
  const id = parseId(text)
  const user = id === undefined ? await findUserByLogin(db, text) : await findUser(db, id)
  if (user === undefined) throw noUser(text)
  return user
}

const noUser = (text: string) =>
  new OperatorError(`there is no user ${shown(text)}; "redlight users list" shows all`)

/** Says of a user who was removed since they were found what is said of one who never was. */
export const unlessGone =
  (text: string) =>
  (error: unknown): never => {
    throw error instanceof Failure && error.code === 'notFound' ? noUser(text) : error
  }

async function ordinaryUser(db: Db, text: string) {
  const user = await userNamed(db, text)
  if (user.id === BUILT_IN_USER_ID)
    throw new OperatorError('the account Redlight is built in and stays as it is')
  return user
}

const activate: Subcommand = async (args, { withDatabase, print }) => {
  const [login = ''] = words(args, ['USER'])
  await withDatabase(async ({ db }) => {
    const { id } = await ordinaryUser(db, login)
    if ((await activateUser(db, id)) === undefined) throw noUser(login)
    print(`User ${id} is active.`)
  })
}

function permissionsIn(args: readonly string[]): { login: string; wanted: Permission[] } {
  const [login, ...named] = args
  if (login === undefined) throw new UsageError('USER is missing')
  if (named.length === 0) throw new UsageError('PERMISSION is missing')
  const unknown = named.find((permission) => !isPermission(permission))
  if (unknown !== undefined)
    throw new UsageError(
      `${shown(unknown)} is not one of ${permissions.join(', ')}${didYouMean(unknown, permissions)}`,
    )
  return { login, wanted: named.filter(isPermission) }
}

const give: Subcommand = async (args, { withDatabase, print }) => {
  const { login, wanted } = permissionsIn(args)
  await withDatabase(async ({ db }) => {
    const { id } = await ordinaryUser(db, login)
    await grant(db, id, wanted).catch(unlessGone(login))
    print(`User ${id} has ${wanted.join(' and ')}.`)
  })
}

const take: Subcommand = async (args, { withDatabase, print }) => {
  const { login, wanted } = permissionsIn(args)
  await withDatabase(async ({ db }) => {
    const { id } = await ordinaryUser(db, login)
    const taken = await revoke(db, id, wanted)
    print(taken.length > 0 ? `Took ${taken.join(' and ')} from user ${id}.` : `User ${id} had none of these.`)
  })
}

const remove: Subcommand = async (args, { withDatabase, print }) => {
  const [login = ''] = words(args, ['USER'])
  await withDatabase(async ({ db }) => {
    const { id } = await ordinaryUser(db, login)
    const users = createUsersService({
      db,
      passwords: createPasswords(),
      defaultPermissions: [],
      forgetPrincipal: () => {},
      mailIsDue: () => {},
    })
    if (!(await users.remove(id))) throw noUser(login)
    print(`Removed user ${id}; their films belong to the account Redlight now.`)
  })
}
