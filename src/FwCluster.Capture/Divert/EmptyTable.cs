using System.Text;
using FwCluster.Capture.Netlink;
using FwCluster.Packets;

namespace FwCluster.Capture.Divert;

/// <summary>Removes a table of nf_tables in which nothing is left, which iptables-nft makes and never removes.</summary>
internal static class EmptyTable
{
    private const ushort BatchBegin = 0x10;
    private const ushort BatchEnd = 0x11;
    private const ushort Tables = 10; // NFNL_SUBSYS_NFTABLES
    private const ushort DeleteTable = Tables << 8 | 2;
    private const ushort OnlyIfEmpty = 0x100; // NLM_F_NONREC
    private const ushort TableName = 1;

    /// <summary>Removes the table, unless it has a chain (nf_tables_deltable) or is not there.</summary>
    public static void TryRemove(IpFamily family, string table)
    {
        const uint Sequence = 1;
        Span<byte> buffer = stackalloc byte[256];
        var length = 0;

        var begin = new NetlinkMessage(buffer, BatchBegin, NetlinkMessage.Request, Sequence);
        begin.AddNetfilterHeader(0, Tables);
        length += begin.End().Length;

        var delete = new NetlinkMessage(
            buffer[length..], DeleteTable, NetlinkMessage.Request | NetlinkMessage.Acknowledge | OnlyIfEmpty, Sequence);
        delete.AddNetfilterHeader((byte)family, 0);
        delete.Add(TableName, Encoding.ASCII.GetBytes(table + "\0"));
        length += delete.End().Length;

        var end = new NetlinkMessage(buffer[length..], BatchEnd, NetlinkMessage.Request, Sequence);
        end.AddNetfilterHeader(0, Tables);
        length += end.End().Length;

        using var socket = new NetlinkSocket(NetlinkSocket.Netfilter);
        _ = socket.Ask(buffer[..length]);
    }
}
