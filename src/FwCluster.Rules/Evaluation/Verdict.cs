namespace FwCluster.Rules.Evaluation;

/// <summary>What a rule's target says of a packet, and what a chain comes to.</summary>
public enum Verdict : byte
{
    /// <summary>Go on with the next rule (<c>XT_CONTINUE</c>).</summary>
    Continue = 0,

    /// <summary>Let it pass.</summary>
    Accept,

    /// <summary>Drop it silently.</summary>
    Drop,

    /// <summary>Drop it and tell the sender (<see cref="Model.RejectTarget"/> says how).</summary>
    Reject,

    /// <summary>Back to the calling chain (<c>-j RETURN</c>).</summary>
    Return,
}
