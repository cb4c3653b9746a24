/** Get-config and set-config. */

export type FragmentHandling = 'normal' | 'drop' | 'reassemble' | 'nx-match'

export interface SwitchConfig {
  frag: FragmentHandling
  /** OpenFlow 1.1 and 1.2; undefined where the version cannot say it. */
  invalidTtlToController: boolean | undefined
  /** Bytes of a packet that matched no rule that are sent to the controller. */
  missSendLen: number
}
