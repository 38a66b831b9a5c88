import { Value } from '@sinclair/typebox/value'
import type { Command } from 'commander'
import { createPasswords } from '../access/passwords'
import { addCommand, type CommandContext, exitOf, inWords, operator } from '../cli/command'
import type { Db } from '../db/client'
import { OperatorError } from '../errors'
import type { Permission } from '../permissions'
import { problemsOf } from '../rules/objects'
import { NewPassword, passwordRepeats, Registration } from '../users/model'
import { createUsersService } from '../users/service'
import { nameOf, requireNotBuiltIn, userNamed } from './named-users'

export function addAdd(users: Command, context: CommandContext) {
  addCommand(users, 'add', {
    summary: 'Add a user (password asked for, or from standard input)',
    examples: [
      'redlight users add --email alice@example.com --name Alice',
      'redlight users add --email bob@example.com --name Bob < password-file',
    ],
  })
    .option('--email <address>', 'their email address')
    .option('--name <name>', 'their name, which all users see')
    .option('--username <name>', 'a name to sign in with')
    .action(async (options: { email?: string; name?: string; username?: string }) => {
      const given = { ...options, password: await readPassword(context) }
      const problems = problemsOf(Registration, given, 'is not known')
      if (problems !== undefined) throw new OperatorError(inWords(problems))
      await context.withDatabase(async ({ db }, { defaultPermissions }) => {
        const service = usersService(db, defaultPermissions)
        const { id, email } = await service.add(Value.Decode(Registration, given))
        context.print(`Added ${email} as user ${id}.`)
      })
    })
}

export function addPassword(users: Command, context: CommandContext) {
  addCommand(users, 'password', {
    summary: 'Set a password (asked for, or from standard input)',
    details: 'Signs the user out everywhere, and tells them by mail. Their API keys stay good.',
    examples: [
      'redlight users password alice@example.com',
      'redlight users password alice@example.com < password-file',
    ],
  })
    .argument('<user>', 'id, email address or username')
    .action((login: string) =>
      context.withDatabase(async ({ db }) => {
        const user = await userNamed(db, login)
        requireNotBuiltIn(user)
        const password = await readPassword(context)
        const problems = problemsOf(NewPassword, { password }, '') ?? passwordRepeats(password, user)
        if (Object.keys(problems).length > 0) throw new OperatorError(inWords(problems))
        await usersService(db, []).setPassword(operator(), user, password)
        context.print(`Set a new password for ${nameOf(user)}, who is signed out everywhere.`)
      }),
    )
}

/** On a terminal asked for twice, unseen; elsewhere all of standard input, without its last line break. */
async function readPassword({ ask, readInput }: CommandContext): Promise<string> {
  if (ask === undefined) return (await readInput()).replace(/\r?\n$/, '')
  const password = await ask.unseen('New password: ')
  const again = password && (await ask.unseen('Once more: '))
  if (password === undefined || again === undefined) throw exitOf('SIGINT')
  if (password !== again) throw new OperatorError('the two passwords differ; nothing was changed')
  return password
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
