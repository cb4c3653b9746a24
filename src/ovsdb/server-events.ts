/** What a server counts, for `coverage/show`: by the names of Open vSwitch where it has one. */
export class ServerEvents {
  /** Addresses listened at. */
  pstream_open = 0
  /** Clients that came or were called. */
  session_open = 0
  /** Requests of clients, echoes aside. */
  jsonrpc_request = 0
  /** Notifications of changes. */
  monitor_update = 0
  txn_success = 0
  txn_unchanged = 0
  txn_error = 0
  /** Tries of transactions that had to wait. */
  txn_incomplete = 0
}
