/** Roles of controllers: requests, replies and status. */

export type Role = 'nochange' | 'equal' | 'primary' | 'secondary'

export interface RoleRequest {
  role: Role
  /** Undefined: the version or form has none, or role is nochange or equal. */
  generationId: bigint | undefined
}

export interface RoleStatus {
  role: Role
  reason: 'primary_request' | 'config' | 'experimenter'
  generationId: bigint | undefined
}
