import { describe, expect, test } from 'vitest'
import { METER_ALL, METER_CONTROLLER } from '../../../../protocols/openflow/meter.ts'
import {
  formatMeter,
  formatMeterFeatures,
  formatMeterMod,
  formatMeterStats,
  parseMeter,
  parseMeterRequest,
} from '../../../../protocols/openflow/text/meter-text.ts'

describe('meters', () => {
  test.each([
    [
      'meter=1,kbps,burst,stats,band=type=drop,rate=1000,burst_size=100',
      'meter=1 kbps burst stats bands=\ntype=drop rate=1000 burst_size=100',
    ],
    ['meter=2,pktps,bands=type=drop rate=10', 'meter=2 pktps bands=\ntype=drop rate=10'],
    [
      'meter=3,band=type=drop,rate=1,type=dscp_remark,rate=2,prec_level=1',
      'meter=3 kbps bands=\ntype=drop rate=1\ntype=dscp_remark rate=2 prec_level=1',
    ],
    ['meter=controller,pktps,band=type=drop,rate=5', 'meter=controller pktps bands=\ntype=drop rate=5'],
  ])('%s', (text, printed) => {
    expect(formatMeter(parseMeter(text, 'add'))).toBe(printed)
  })

  test('are deleted by number or all', () => {
    expect(parseMeter('meter=7', 'delete')).toMatchObject({ command: 'delete', meter: 7, bands: [] })
    expect(formatMeterMod(parseMeter('meter=all', 'delete'))).toBe(' DEL meter=all bands=')
    expect([
      parseMeterRequest(''),
      parseMeterRequest('meter=controller'),
      parseMeterRequest('meter=4'),
    ]).toEqual([METER_ALL, METER_CONTROLLER, 4])
  })

  test.each([
    ['kbps,band=type=drop,rate=1', 'must specify "meter"'],
    ['meter=1,kbps', 'must specify bands'],
    ['meter=1,kbps,pktps,band=type=drop,rate=1', 'mutually exclusive'],
    ['meter=0,band=type=drop,rate=1', 'invalid meter id 0'],
    ['meter=1,band=type=paint,rate=1', 'invalid band type "paint"'],
    ['meter=1,speedy,band=type=drop,rate=1', 'unknown keyword speedy'],
    ['meter=1,band=rate=1', '"type" must be specified'],
  ])('%s is refused', (text, why) => {
    expect(() => parseMeter(text, 'add')).toThrow(why)
  })

  test('statistics and features', () => {
    const band = { packetCount: 1, byteCount: 60 }
    const stats = {
      meter: 1,
      flowCount: 2,
      packetIn: 3,
      byteIn: 180,
      durationSec: 1,
      durationNsec: 0,
      bands: [band],
    }
    expect(formatMeterStats(stats)).toBe(
      'meter:1 flow_count:2 packet_in_count:3 byte_in_count:180 duration:1s bands:\n0: packet_count:1 byte_count:60',
    )
    expect(
      formatMeterFeatures({ maxMeters: 4, bandTypes: 6, capabilities: 15, maxBands: 8, maxColor: 0 }),
    ).toBe(
      'max_meter:4 max_bands:8 max_color:0\nband_types: drop dscp_remark\ncapabilities: kbps pktps burst stats',
    )
  })
})
