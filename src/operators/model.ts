import { type Static, Type } from '@sinclair/typebox'
import { type Permission, permissions } from '../permissions'
import { codePoints, listProblem, parameter } from '../rules/fields'
import { pageParameters, parsePage, parseSort, sortParameter, wordParameter } from '../rules/lists'
import { field, object, type Rule } from '../rules/objects'
import { didYouMean } from '../rules/suggest'
import { type User, userJson } from '../users/model'

const MAX_SEARCH = 500
const MAX_PERMISSIONS = 20
const sortKeys = ['id', 'name', 'created_at'] as const
export type UserSortKey = (typeof sortKeys)[number]

export const UserListQuery = object({
  q: Type.Optional(
    parameter({ type: 'string', maxLength: MAX_SEARCH }, (value) =>
      codePoints(String(value)) > MAX_SEARCH
        ? `must not be more than ${MAX_SEARCH} characters long`
        : undefined,
    ),
  ),
  activated: Type.Optional(wordParameter(['true', 'false'])),
  permission: Type.Optional(wordParameter(permissions)),
  sort: Type.Optional(sortParameter(sortKeys)),
  ...pageParameters,
})

export type UserList = ReturnType<typeof parseUserList>

export const parseUserList = ({ q, activated, permission, sort, ...page }: Static<typeof UserListQuery>) => ({
  q,
  activated: activated === undefined ? undefined : activated === 'true',
  permission,
  sort: parseSort(sort, sortKeys) ?? { key: 'id' as const, descending: false },
  ...parsePage(page),
})

const permissionProblem: Rule = (value) =>
  permissions.some((known) => known === value)
    ? undefined
    : `must be one of ${permissions.join(', ')}${typeof value === 'string' ? didYouMean(value, permissions) : ''}`

export const UserChanges = object({
  activated: Type.Optional(
    field<true>({ type: 'boolean', const: true }, (value) =>
      value === true ? undefined : 'can only be true; to bar a user, take their permissions',
    ),
  ),
  permissions: Type.Optional(
    field<Permission[]>(
      { type: 'array', items: { type: 'string', enum: permissions }, maxItems: MAX_PERMISSIONS },
      (value) => listProblem(value, 0, MAX_PERMISSIONS, permissionProblem),
    ),
  ),
})
export type UserChanges = Static<typeof UserChanges>

/** A user as operators see them. */
export type ManagedUser = User & { readonly permissions: readonly string[]; readonly movies: number }

export const managedUserJson = ({ permissions, movies, ...user }: ManagedUser) => ({
  ...userJson(user),
  permissions,
  movies,
})
