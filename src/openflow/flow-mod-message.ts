/** A flow-mod that nobody has read yet, as it came. */
export interface FlowModMessage {
  readonly bytes: Uint8Array
  /** Whether NXT_FLOW_MOD_TABLE_ID was on when it came. */
  readonly tableIdExtension: boolean
}
