export const permissions = ['movies:read', 'movies:write'] as const
export type Permission = (typeof permissions)[number]

export const isPermission = (value: string): value is Permission =>
  permissions.some((known) => known === value)
