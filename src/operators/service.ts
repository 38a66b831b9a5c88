import { grant, revoke } from '../access/store'
import { permissionGranted, permissionRevoked, userActivated, userRemoved } from '../audit/events'
import type { Author } from '../audit/model'
import { recordEvent, recordEvents } from '../audit/store'
import type { Db, Tx } from '../db/client'
import { BUILT_IN_USER_ID } from '../db/schema'
import { Failure, invalid } from '../errors'
import { permissions as allPermissions, type Permission } from '../permissions'
import { activateUser, findUser, removeUser } from '../users/store'
import type { UserChanges } from './model'
import { findManagedUser, hasAdmin, lockAdmins } from './store'

export type OperatorsService = ReturnType<typeof createOperatorsService>
type Deps = {
  readonly db: Db
  /** Called when a user's permissions have changed. */
  readonly forgetPrincipal: (userId: number) => void
}
/** A user by the name that events keep. */
type Named = { readonly id: number; readonly name: string }
type Removal = 'user.removed' | 'account.removed'

/**
 * Runs work that may take an admin away, one at a time. Throws a 422 if that would be the last activated one;
 * the command line may leave none.
 */
async function keepingAnAdmin<T>(tx: Tx, author: Author, work: () => Promise<T>): Promise<T> {
  await lockAdmins(tx)
  const hadAdmin = await hasAdmin(tx)
  const result = await work()
  if (author.actor !== null && hadAdmin && !(await hasAdmin(tx)))
    throw invalid({ permissions: 'must leave an activated admin' })
  return result
}

async function grantAll(tx: Tx, author: Author, user: Named, wanted: readonly Permission[]) {
  const granted = await grant(tx, user.id, wanted)
  await recordEvents(
    tx,
    author,
    granted.map((permission) => permissionGranted(user, permission)),
  )
  return granted
}

async function revokeAll(tx: Tx, author: Author, user: Named, unwanted: readonly Permission[]) {
  const revoked = await revoke(tx, user.id, unwanted)
  await recordEvents(
    tx,
    author,
    revoked.map((permission) => permissionRevoked(user, permission)),
  )
  return revoked
}

async function activate(tx: Tx, author: Author, { id }: Named): Promise<boolean> {
  const activated = await activateUser(tx, id, { unlessActive: true })
  if (activated === undefined) {
    if ((await findUser(tx, id)) === undefined) throw new Failure('notFound')
    return false
  }
  await recordEvent(tx, author, userActivated(activated))
  return true
}

function refuseBuiltIn(id: number) {
  if (id === BUILT_IN_USER_ID) throw invalid({ id: 'is the built-in account' })
}

/** What operators do to users, by HTTP and at the command line. */
export function createOperatorsService({ db, forgetPrincipal }: Deps) {
  /** Runs work in a transaction; afterwards, the user's permissions are reloaded. */
  async function changing<T>(id: number, work: (tx: Tx) => Promise<T>): Promise<T> {
    refuseBuiltIn(id)
    const result = await db.transaction(work)
    forgetPrincipal(id)
    return result
  }

  return {
    /** Throws a 404 when the user is gone. */
    change: (author: Author, user: Named, { activated, permissions }: UserChanges) =>
      changing(user.id, async (tx) => {
        if (activated) await activate(tx, author, user)
        if (permissions !== undefined) {
          const unwanted = allPermissions.filter((permission) => !permissions.includes(permission))
          await keepingAnAdmin(tx, author, () => revokeAll(tx, author, user, unwanted))
          await grantAll(tx, author, user, permissions)
        }
        const changed = await findManagedUser(tx, user.id)
        if (changed === undefined) throw new Failure('notFound')
        return changed
      }),

    /** False when the user was active already. Throws a 404 when the user is gone. */
    activate: (author: Author, user: Named) => changing(user.id, (tx) => activate(tx, author, user)),

    /** Returns those of the permissions that the user lacked. Throws a 404 when the user is gone. */
    grant: (author: Author, user: Named, wanted: readonly Permission[]) =>
      changing(user.id, (tx) => grantAll(tx, author, user, wanted)),

    /** Returns those of the permissions that the user had. */
    revoke: (author: Author, user: Named, unwanted: readonly Permission[]) =>
      changing(user.id, (tx) => keepingAnAdmin(tx, author, () => revokeAll(tx, author, user, unwanted))),

    /** Returns how many movies the built-in account got; undefined when there is no such user. */
    remove: (author: Author, id: number, action: Removal = 'user.removed') =>
      changing(id, (tx) =>
        keepingAnAdmin(tx, author, async () => {
          const removed = await removeUser(tx, id)
          if (removed !== undefined)
            await recordEvent(tx, author, userRemoved(removed.user, removed.movies, action))
          return removed?.movies
        }),
      ),
  }
}
