using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using FwCluster.Cli.Remote;
using FwCluster.Cli.Top;
using Grpc.Core;

namespace FwCluster.Cli.Commands;

/// <summary><c>fwctl top</c>: what the cluster does, live in the terminal.</summary>
internal static class TopCommand
{
    private const int PlainWidth = 1000;
    private const string Examples = """
          fwctl top
              q quits, n shows the rules of the next node alone, and of all again.
          fwctl top --node gateway2 --every 5
          fwctl top --json --count 1 | jq '.sum.new.perSecond'
        """;

    private static readonly TimeSpan KeyInterval = TimeSpan.FromMilliseconds(50);

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var every = new Option<double>("--every", "-d") { HelpName = "SECONDS", Description = "Between two samples, 0.2 to 3600 [1].", DefaultValueFactory = _ => 1 };
        every.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0.2 and <= 3600)) result.AddError("--every: a number of seconds from 0.2 to 3600 is right");
        });
        var count = new Option<int>("--count", "-n") { HelpName = "N", Description = "Ends after so many samples [0: does not end]." };
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 0) result.AddError("--count: a number from 0 on is right");
        });
        var node = new Option<string?>("--node") { HelpName = "NODE", Description = "Rules of one node, not of all." };
        return RemoteCall.Command("top", "Shows connections, new ones a second, drops by reason and rules by hits, live; a line a sample with --json.", Examples,
            call => RunAsync(new Run(call, TimeSpan.FromSeconds(call.Parsed.GetValue(every)), call.Parsed.GetValue(count), call.Parsed.GetValue(node) ?? "")), every, count, node);
    }

    private static async Task<int> RunAsync(Run started)
    {
        using var run = started;
        using var screen = !run.Call.IsJson && TopTerminal.IsThere(run.Call.Output) ? new TopTerminal(run.Call.Output) : null;
        return await run.RunAsync(screen).ConfigureAwait(false);
    }

    /// <summary>One run of the command.</summary>
    private sealed class Run(RemoteCall call, TimeSpan every, int count, string node) : IDisposable
    {
        private string _node = node;
        private TopReading? _before;
        private TopSample? _sample;
        private ControlConnection? _again;

        public RemoteCall Call => call;

        public async Task<int> RunAsync(TopTerminal? screen)
        {
            var missing = ExitCode.Ok;
            for (var samples = 0; count == 0 || samples < count;)
            {
                string? message = null;
                try
                {
                    await TakeAsync().ConfigureAwait(false);
                }
                catch (RpcException e) when (screen is not null && e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded && _sample is not null)
                {
                    message = await ReconnectAsync(e).ConfigureAwait(false);
                }
                // Rates take two readings. A screen does not stay empty for that long.
                if (_sample is { } sample && (screen is not null || sample.Seconds > 0))
                {
                    if (screen is null) Print(sample);
                    if (sample.Seconds > 0 && message is null) samples++;
                    missing = sample.Missing.Count > 0 ? ExitCode.Partial : ExitCode.Ok;
                }
                if (samples == count && count > 0) break;
                if (await WaitAsync(screen, message).ConfigureAwait(false)) return ExitCode.Ok;
            }
            return missing;
        }

        private async Task TakeAsync()
        {
            var now = await TopReading.ReadAsync(_again?.Invoker ?? call.Invoker, _node, call.Stop).ConfigureAwait(false);
            _sample = TopSample.Of(_before, now, _node);
            _before = now;
        }

        private void Print(TopSample sample)
        {
            if (call.IsJson) call.Output.Write(JsonSerializer.Serialize(sample, Json) + "\n");
            else foreach (var line in TopText.Lines(sample, PlainWidth, int.MaxValue)) call.Output.Write(line + "\n");
            if (!call.IsJson) call.Output.Write('\n');
            call.Output.Flush();
        }

        /// <summary>The node that was asked is gone: the endpoints are tried again.</summary>
        private async Task<string> ReconnectAsync(RpcException e)
        {
            try
            {
                var opened = await ControlConnection.OpenAsync(RemoteOptions.ContextOf(call.Parsed), call.Stop).ConfigureAwait(false);
                _again?.Dispose();
                _again = opened;
                return $"the connection broke, and there is another one: {e.Status.Detail}";
            }
            catch (FwctlException unreachable)
            {
                return unreachable.Message;
            }
        }

        /// <summary>Waits for the next sample, draws, and reads keys. True where it is enough.</summary>
        private async Task<bool> WaitAsync(TopTerminal? screen, string? message)
        {
            var until = DateTime.UtcNow + every;
            (int, int) drawn = default;
            while (DateTime.UtcNow < until)
            {
                if (screen is null)
                {
                    await Task.Delay(every, call.Stop).ConfigureAwait(false);
                    return false;
                }
                if (_sample is not null && drawn != (TopTerminal.Width, TopTerminal.Height))
                {
                    drawn = (TopTerminal.Width, TopTerminal.Height);
                    screen.Draw(TopText.Lines(_sample, drawn.Item1, drawn.Item2, message));
                }
                switch (TopTerminal.Key)
                {
                    case 'q' or 'Q' or '\u0003':
                        return true;
                    case 'n' or 'N':
                        ChooseNext();
                        return false;
                }
                await Task.Delay(KeyInterval, call.Stop).ConfigureAwait(false);
            }
            return false;
        }

        private void ChooseNext()
        {
            string[] choices = ["", .. _sample?.Nodes.Select(n => n.Name) ?? []];
            _node = choices[(Array.IndexOf(choices, _node) + 1) % choices.Length];
            if (_before is not null) _before = _before with { Counters = new() }; // of another node
        }

        public void Dispose() => _again?.Dispose();
    }
}
