namespace FwCluster.Cluster;

/// <summary>What a node counts of its talk with the others. Read on any thread.</summary>
public sealed class ClusterStatistics
{
    private long _questions, _questionsElsewhere, _refused, _batchesSent, _repliesReceived, _forwarded, _broken, _askedAgain, _announced, _acknowledged, _waitsOver, _distrusted, _unsent;

    /// <summary>Questions that this node's workers asked.</summary>
    public long Questions => Volatile.Read(ref _questions);

    /// <summary>Those of them that went to other nodes.</summary>
    public long QuestionsElsewhere => Volatile.Read(ref _questionsElsewhere);

    /// <summary>Questions that were refused because too many waited.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Messages sent to other nodes about packets, each of which has all that this node had to say to the other one just then.</summary>
    public long BatchesSent => Volatile.Read(ref _batchesSent);

    /// <summary>Messages with replies received from other nodes.</summary>
    public long RepliesReceived => Volatile.Read(ref _repliesReceived);

    /// <summary>Requests of other nodes for shards that are not here, which were sent on.</summary>
    public long Forwarded => Volatile.Read(ref _forwarded);

    /// <summary>Messages, or parts of them, that could not be read or came from nobody known.</summary>
    public long Broken => Volatile.Read(ref _broken);

    /// <summary>Questions that were asked again, because whoever had them was gone.</summary>
    public long AskedAgain => Volatile.Read(ref _askedAgain);

    /// <summary>Messages with announced expectations that went to other nodes, and for which packets waited.</summary>
    public long Announcements => Volatile.Read(ref _announced);

    /// <summary>Those of them that each node had acknowledged in time, or was gone.</summary>
    public long AnnouncementsAcknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>Announced expectations that not every node had acknowledged in time.</summary>
    public long ExpectationWaitsOver => Volatile.Read(ref _waitsOver);

    /// <summary>Times that another node's certificate was not believed.</summary>
    public long Distrusted => Volatile.Read(ref _distrusted);

    /// <summary>Batches of requests or replies, announcements and claims that were dropped, because another node took nothing and too much waited for it already.</summary>
    public long Unsent => Volatile.Read(ref _unsent);

    internal void AddQuestions(int here, int elsewhere)
    {
        Interlocked.Add(ref _questions, here + elsewhere);
        Interlocked.Add(ref _questionsElsewhere, elsewhere);
    }

    internal void CountRefused() => Interlocked.Increment(ref _refused);

    internal void CountBatchSent() => Interlocked.Increment(ref _batchesSent);

    internal void CountRepliesReceived() => Interlocked.Increment(ref _repliesReceived);

    internal void CountForwarded() => Interlocked.Increment(ref _forwarded);

    internal void CountDistrusted() => Interlocked.Increment(ref _distrusted);

    internal void CountUnsent() => Interlocked.Increment(ref _unsent);

    internal void CountBroken() => Interlocked.Increment(ref _broken);

    internal void CountAskedAgain() => Interlocked.Increment(ref _askedAgain);

    internal void CountAnnouncement() => Interlocked.Increment(ref _announced);

    internal void CountAcknowledged() => Interlocked.Increment(ref _acknowledged);

    internal void CountWaitOver() => Interlocked.Increment(ref _waitsOver);
}
