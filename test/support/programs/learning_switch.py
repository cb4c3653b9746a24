"""A learning switch for OpenFlow 1.3, as an application of os-ken: the least that a real controller does."""
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import ethernet, packet
from os_ken.ofproto import ofproto_v1_3


class LearningSwitch(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.places = {}

    def add(self, datapath, priority, match, port, length=0xFFFF):
        ofp, make = datapath.ofproto, datapath.ofproto_parser
        apply = make.OFPInstructionActions(ofp.OFPIT_APPLY_ACTIONS, [make.OFPActionOutput(port, length)])
        datapath.send_msg(
            make.OFPFlowMod(datapath=datapath, priority=priority, match=match, instructions=[apply])
        )

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def features(self, event):
        datapath = event.msg.datapath
        self.add(datapath, 0, datapath.ofproto_parser.OFPMatch(), datapath.ofproto.OFPP_CONTROLLER)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        message = event.msg
        datapath = message.datapath
        ofp, make = datapath.ofproto, datapath.ofproto_parser
        in_port = message.match['in_port']
        frame = packet.Packet(message.data).get_protocol(ethernet.ethernet)
        known = self.places.setdefault(datapath.id, {})
        known[frame.src] = in_port
        port = known.get(frame.dst, ofp.OFPP_FLOOD)
        if port != ofp.OFPP_FLOOD:
            match = make.OFPMatch(in_port=in_port, eth_dst=frame.dst, eth_src=frame.src)
            self.add(datapath, 1, match, port, 0)
        datapath.send_msg(
            make.OFPPacketOut(
                datapath=datapath,
                buffer_id=ofp.OFP_NO_BUFFER,
                in_port=in_port,
                actions=[make.OFPActionOutput(port)],
                data=message.data,
            )
        )
