namespace FwCluster.Rules.Evaluation;

/// <summary>Places on a packet's way where rules run, numbered as <c>enum nf_inet_hooks</c>; also the built-in chains.</summary>
public enum Hook : byte
{
    /// <summary>Before routing: every packet that comes in.</summary>
    PreRouting = 0,

    /// <summary>To this host.</summary>
    Input = 1,

    /// <summary>Through this host.</summary>
    Forward = 2,

    /// <summary>From this host.</summary>
    Output = 3,

    /// <summary>After routing: every packet that goes out.</summary>
    PostRouting = 4,
}
