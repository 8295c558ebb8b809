namespace FwCluster.Datapath.Shards;

/// <content>What a shard that leaves does with those who wait.</content>
public sealed partial class Shard
{
    /// <summary>Ends all waiting, before <see cref="Leave"/>: what was only held back goes out.</summary>
    /// <returns>Questions that have no answer, in their order: they are to be asked of the shard that goes on elsewhere.</returns>
    public IReadOnlyList<(int Holder, ShardRequest Request, byte[] Packet)> Abandon()
    {
        var questions = new List<HeldRequest>();
        foreach (var wait in _waits.Values)
        {
            if (wait.Kind == ShardWaitKind.Acknowledgement) _output.Reply(wait.Holder, in wait.Reply);
            else if (wait is { Kind: ShardWaitKind.Claim, Asked: { } asked }) questions.Add(asked);
            questions.AddRange(wait.Behind);
        }
        _waits.Clear();
        _tickets.Clear();
        return [.. questions.Select(q => (q.Holder, q.Request, q.Packet))];
    }

    /// <summary>What is expected, by its numbers.</summary>
    public IEnumerable<KeyValuePair<ulong, Conntrack.Expectation>> Expected => _byNumber;
}
