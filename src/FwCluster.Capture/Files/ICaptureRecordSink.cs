namespace FwCluster.Capture.Files;

/// <summary>Is shown the records of a capture as they stand in it, while it is read.</summary>
internal interface ICaptureRecordSink
{
    /// <summary>The one interface of a pcap file, before its first packet.</summary>
    void PcapInterface(CaptureInterface source);

    /// <summary>A packet of a pcap file is about to be handed out: its time stamp in ticks of the file's clock, and its length on the wire
    /// as the record has it.</summary>
    void PcapPacket(ulong ticks, uint wireLength);

    /// <summary>A block of a pcapng file, from its type to its trailing length.</summary>
    void Block(ReadOnlySpan<byte> block, bool bigEndian);
}
