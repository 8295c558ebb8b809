using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Extensions.Matches;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Targets;

/// <summary>What CONNMARK does (<c>XT_CONNMARK_*</c>).</summary>
public enum ConnmarkMode : byte
{
    /// <summary>Changes the connection's mark.</summary>
    Set,

    /// <summary>Copies the packet's mark to the connection.</summary>
    Save,

    /// <summary>Copies the connection's mark to the packet.</summary>
    Restore,
}

/// <summary><c>-j CONNMARK</c> (<c>connmark_tg_shift</c> in xt_connmark.c). A packet without a connection is left alone.</summary>
public sealed class ConnmarkTarget : Target
{
    /// <summary>What is done.</summary>
    public ConnmarkMode Mode { get; init; }

    /// <summary>The connection's side: the value to set, and which bits of the connection's mark.</summary>
    public MarkChange Connection { get; init; } = new(0, uint.MaxValue);

    /// <summary>Which bits of the packet's mark.</summary>
    public uint PacketMask { get; init; } = uint.MaxValue;

    /// <summary>Bits to shift by, 0 to 31: to the left, or negative to the right.</summary>
    public int Shift { get; init; }

    /// <inheritdoc/>
    public override string Name => "CONNMARK";

    /// <inheritdoc/>
    public override bool UsesConnection => true;

    /// <inheritdoc/>
    public override Verdict Apply(ref PacketContext packet)
    {
        switch (PacketConnection.Kind(in packet))
        {
            case PacketConnectionKind.Entry:
                ref var connection = ref packet.Connection;
                if (Mode == ConnmarkMode.Set) connection.Mark = Shifted(Connection.Apply(connection.Mark));
                else if (Mode == ConnmarkMode.Save)
                    connection.Mark = (connection.Mark & ~Connection.Mask) ^ Shifted(packet.Mark & PacketMask);
                else Restore(ref packet, connection.Mark);
                break;
            case PacketConnectionKind.Template when Mode == ConnmarkMode.Restore:
                // What is saved in a template is lost with it; its own mark is zero.
                Restore(ref packet, 0);
                break;
        }
        return Verdict.Continue;
    }

    private void Restore(ref PacketContext packet, uint mark)
        => packet.Mark = (packet.Mark & ~PacketMask) ^ Shifted(mark & Connection.Mask);

    private uint Shifted(uint mark) => Shift >= 0 ? mark << Shift : mark >> -Shift;

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        var (packet, connection) = (MarkPattern.Hex(PacketMask), MarkPattern.Hex(Connection.Mask));
        writer.Words("CONNMARK").Words(Mode switch
        {
            ConnmarkMode.Set => Connection.Listing,
            _ when PacketMask == uint.MaxValue && Connection.Mask == uint.MaxValue => Verb,
            _ when PacketMask == Connection.Mask => $"{Verb} mask {packet}",
            ConnmarkMode.Save => $"{Verb} nfmask {packet} ctmask ~{connection}",
            _ => $"{Verb} ctmask {connection} nfmask ~{packet}",
        });
        if (Shift != 0) writer.Words(Shift > 0 ? "left-shift-mark" : "right-shift-mark").Number((uint)Math.Abs(Shift));
    }

    private string Verb => Mode == ConnmarkMode.Save ? "save" : "restore";

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        if (Mode == ConnmarkMode.Set)
        {
            Connection.Write(writer);
        }
        else
        {
            writer.Word(Mode == ConnmarkMode.Save ? "--save-mark" : "--restore-mark")
                .Word("--nfmask").Hex(PacketMask).Word("--ctmask").Hex(Connection.Mask);
        }
        if (Shift != 0) writer.Word(Shift > 0 ? "--left-shift-mark" : "--right-shift-mark").Number((uint)Math.Abs(Shift));
    }
}
