using FwCluster.Api.V1;

namespace FwCluster.Control.Nodes;

/// <summary>
/// What the control plane asks of a node, its own or another one. It speaks in the public API's messages, so that a node elsewhere can be asked by
/// the same API.
/// </summary>
public interface IControlledNode
{
    /// <summary>Its name.</summary>
    string Name { get; }

    /// <summary>How it is.</summary>
    /// <exception cref="NodeUnavailableException">It cannot be asked; every method may say so.</exception>
    Task<Node> DescribeAsync();

    /// <summary>Its ports.</summary>
    Task<IReadOnlyList<CapturePort>> PortsAsync();

    /// <summary>Connections that match, page by page.</summary>
    IAsyncEnumerable<IReadOnlyList<Connection>> ListAsync(ConnectionMatcher matcher, CancellationToken cancellation);

    /// <summary>How many connections match, and how many there may be.</summary>
    Task<(ulong Count, ulong Limit)> CountAsync(ConnectionMatcher matcher, CancellationToken cancellation);

    /// <summary>Removes the connections that match; how many they were.</summary>
    Task<ulong> DeleteAsync(ConnectionMatcher matcher, CancellationToken cancellation);

    /// <summary>What happens from now on. The first event is <see cref="ConntrackEvent.Types.Kind.Watching"/>.</summary>
    IAsyncEnumerable<ConntrackEvent> WatchAsync(ConnectionMatcher matcher, CancellationToken cancellation);

    /// <summary>What tracking has counted.</summary>
    Task<IReadOnlyList<ShardStatistics>> StatisticsAsync();

    /// <summary>Expectations whose masters match.</summary>
    Task<IReadOnlyList<ConntrackExpectation>> ExpectationsAsync(ConnectionMatcher masters);

    /// <summary>Takes away the expectations whose masters match; how many they were.</summary>
    Task<ulong> DeleteExpectationsAsync(ConnectionMatcher masters);

    /// <summary>What rules have counted; zeroes it in the same step where <paramref name="zero"/>.</summary>
    Task<ReadCountersResponse> CountersAsync(CounterSelection selection, bool zero, CancellationToken cancellation);

    /// <summary>The helpers.</summary>
    Task<IReadOnlyList<Helper>> HelpersAsync();

    /// <summary>Loads or unloads a helper.</summary>
    /// <returns>The helper as it was and as it is; null where there is none of this name.</returns>
    Task<(Helper Before, Helper After)?> SetHelperAsync(string name, bool loaded);

    /// <summary>Settings that can change while it runs, by name.</summary>
    Task<IReadOnlyDictionary<string, long>> SettingsAsync();

    /// <summary>Changes settings: all, or none.</summary>
    /// <returns>What is wrong with them, or null.</returns>
    Task<string?> ChangeSettingsAsync(IReadOnlyDictionary<string, long> settings);

    /// <summary>Has it hand over its shards, and get none; it goes on deciding packets.</summary>
    /// <param name="undo">It is to take shards again.</param>
    /// <param name="cancellation">Ends the wait for it.</param>
    /// <returns>How many shards moved; null where there is no other node to hand over to.</returns>
    Task<int?> DrainAsync(bool undo, CancellationToken cancellation);
}
