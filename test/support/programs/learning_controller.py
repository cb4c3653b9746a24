"""An os-ken application: a learning switch by packet-ins, for OpenFlow 1.0 and 1.3 to 1.5.

The version is the one that the environment variable OPENFLOW names (10, 13, 14 or 15). Prints a line for each switch
that comes and for each flow it adds.
"""
import os

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import ethernet, packet
from os_ken.ofproto import ofproto_v1_0, ofproto_v1_3, ofproto_v1_4, ofproto_v1_5

VERSIONS = {"10": ofproto_v1_0, "13": ofproto_v1_3, "14": ofproto_v1_4, "15": ofproto_v1_5}


class LearningController(app_manager.OSKenApp):
    OFP_VERSIONS = [VERSIONS[os.environ["OPENFLOW"]].OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ports = {}

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def switch_has_come(self, event):
        dp = event.msg.datapath
        print("switch %016x" % event.msg.datapath_id, flush=True)
        if dp.ofproto.OFP_VERSION >= ofproto_v1_3.OFP_VERSION:
            to_us = dp.ofproto_parser.OFPActionOutput(dp.ofproto.OFPP_CONTROLLER, dp.ofproto.OFPCML_NO_BUFFER)
            self.add_flow(dp, dp.ofproto_parser.OFPMatch(), 0, to_us)

    def add_flow(self, dp, match, priority, action):
        ofp, parser = dp.ofproto, dp.ofproto_parser
        if ofp.OFP_VERSION == ofproto_v1_0.OFP_VERSION:
            mod = parser.OFPFlowMod(dp, match=match, cookie=0, command=ofp.OFPFC_ADD, priority=priority, actions=[action])
        else:
            apply = parser.OFPInstructionActions(ofp.OFPIT_APPLY_ACTIONS, [action])
            mod = parser.OFPFlowMod(dp, match=match, priority=priority, instructions=[apply])
        dp.send_msg(mod)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_has_come(self, event):
        msg = event.msg
        dp = msg.datapath
        ofp, parser = dp.ofproto, dp.ofproto_parser
        old = ofp.OFP_VERSION == ofproto_v1_0.OFP_VERSION
        in_port = msg.in_port if old else msg.match["in_port"]
        frame = packet.Packet(msg.data).get_protocol(ethernet.ethernet)
        self.ports[frame.src] = in_port
        out_port = self.ports.get(frame.dst, ofp.OFPP_FLOOD)
        action = parser.OFPActionOutput(out_port)
        if out_port != ofp.OFPP_FLOOD:
            names = {"dl_src": frame.src, "dl_dst": frame.dst} if old else {"eth_src": frame.src, "eth_dst": frame.dst}
            self.add_flow(dp, parser.OFPMatch(in_port=in_port, **names), 7, action)
            print("flow %s -> %s" % (frame.src, frame.dst), flush=True)
        out = {"buffer_id": ofp.OFP_NO_BUFFER, "actions": [action], "data": msg.data}
        if ofp.OFP_VERSION == ofproto_v1_5.OFP_VERSION:
            dp.send_msg(parser.OFPPacketOut(dp, match=parser.OFPMatch(in_port=in_port), **out))
        else:
            dp.send_msg(parser.OFPPacketOut(dp, in_port=in_port, **out))

    @set_ev_cls(ofp_event.EventOFPErrorMsg, [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def error_has_come(self, event):
        print("error type %d code %d" % (event.msg.type, event.msg.code), flush=True)
