import { Argument, type Command } from 'commander'
import { addCommand, type CommandContext, counted, oneOf, operator } from '../cli/command'
import type { Db } from '../db/client'
import { createOperatorsService, type OperatorsService } from '../operators/service'
import { findManagedUser } from '../operators/store'
import { type Permission, permissions } from '../permissions'
import { userJson } from '../users/model'
import { listUsers } from '../users/store'
import { visibleJson } from '../visible'
import { type NamedUser, nameOf, noUser, requireNotBuiltIn, unlessGone, userNamed } from './named-users'
import { addAdd, addPassword } from './passwords'
import { addYes, requireYes, type YesOption } from './removal'

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
  addPassword(users, context)
  addRemove(users, context)
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

const cellsOf = ({ id, email, username, name, activated, permissions }: NamedUser) => [
  id,
  email,
  username,
  activated ? 'active' : 'inactive',
  permissions.join(),
  name,
]

type ForOne = {
  readonly summary: string
  readonly takesPermissions?: true
  /** Returns the line to print. */
  readonly work: (operators: OperatorsService, user: NamedUser, wanted: Permission[]) => Promise<string>
}

const forOne: Readonly<Record<string, ForOne>> = {
  activate: {
    summary: 'Activate a user without a mail',
    async work(operators, user) {
      const isNew = await operators.activate(operator(), user)
      return isNew ? `Activated ${nameOf(user)}.` : `${nameOf(user)} is active already; nothing changed.`
    },
  },
  grant: {
    summary: 'Grant permissions',
    takesPermissions: true,
    async work(operators, user, wanted) {
      const granted = await operators.grant(operator(), user, wanted)
      if (granted.length > 0) return `Granted ${granted.join(' and ')} to ${nameOf(user)}.`
      return `${nameOf(user)} has ${wanted.join(' and ')} already; nothing changed.`
    },
  },
  revoke: {
    summary: 'Revoke permissions',
    takesPermissions: true,
    async work(operators, user, wanted) {
      const revoked = await operators.revoke(operator(), user, wanted)
      if (revoked.length > 0) return `Revoked ${revoked.join(' and ')} from ${nameOf(user)}.`
      return `${nameOf(user)} didn't have ${wanted.join(' or ')}; nothing changed.`
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
      const operators = operatorsService(db)
      print(await work(operators, user, takesPermissions ? wanted : []).catch(unlessGone(login)))
    }),
  )
}

const permissionArgument = () =>
  new Argument('<permission...>')
    .choices(permissions)
    .argParser((text: string, before: Permission[] = []) => [...before, oneOf(permissions)(text)])

function addRemove(users: Command, context: CommandContext) {
  const command = addCommand(users, 'remove', {
    summary: 'Remove a user; Redlight gets their movies',
    examples: ['redlight users remove alice@example.com', 'redlight users remove --yes alice@example.com'],
  }).argument('<user>', 'id, email address or username')
  addYes(command).action((login: string, { yes }: YesOption) =>
    context.withDatabase(async ({ db }) => {
      const user = await userNamed(db, login)
      requireNotBuiltIn(user)
      const { movies = 0 } = (await findManagedUser(db, user.id)) ?? {}
      const who = `${nameOf(user)} (user ${user.id}, ${counted(movies, 'movie')})`
      await requireYes(context, yes, `Remove ${who}? This can't be undone.`)
      const left = await operatorsService(db).remove(operator(), user.id)
      if (left === undefined) throw noUser(login)
      const inheritance = left === 1 ? '1 movie now belongs' : `${counted(left, 'movie')} now belong`
      context.print(`Removed ${who}.${left === 0 ? '' : ` ${inheritance} to the account Redlight.`}`)
    }),
  )
}

const operatorsService = (db: Db) => createOperatorsService({ db, forgetPrincipal: () => {} })
