using FwCluster.Conntrack.Helpers.Ftp;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>Quiet once AUTH TLS was accepted, and not before.</summary>
public sealed class FtpSecurityTests
{
    private const string Port = "PORT 10,0,0,1,4,5\r\n";

    private readonly HelperBench _bench = new(new FtpHelper { Ports = [21] }, "10.0.0.1", "10.0.0.2");

    public FtpSecurityTests()
    {
        _bench.Server("220 ready\r\n");
        _bench.Client("FEAT\r\n");
    }

    [Theory]
    [InlineData("AUTH TLS\r\n", "234 Proceed\r\n")]
    [InlineData("auth ssl\r\n", "234 Proceed\r\n")]
    [InlineData("AUTH TLS-C\r\n", "234 \r\n")]
    [InlineData("AUTH  TLS-P \r\n", "234-Proceed\r\n234 now\r\n")]
    [InlineData("AUTH TLS\n", "234 ok\n")]
    public void Accepted_request_ends_reading(string request, string answer)
    {
        Assert.True(_bench.Client(request));
        Assert.True(_bench.Server(answer));
        Assert.True(_bench.Client("\u0016\u0003\u0001...\n"));
        Assert.True(_bench.Client("P"));
        Assert.True(_bench.Client(Port));
        Assert.True(_bench.Client(Port));
        Assert.True(_bench.Server("\n"));
        Assert.True(_bench.Server("229 Ok (|||1029|)\r\n"));
        Assert.Empty(_bench.Noted);
    }

    [Theory]
    [InlineData("AUTH TLS\r\n", "500 What?\r\n")]
    [InlineData("AUTH TLS\r\n", "334 Go on\r\n")]
    [InlineData("AUTH TLS\r\n", "2345 ok\r\n")]
    [InlineData("AUTH TLS\r\n", "200-x\r\n234 ok\r\n")]
    [InlineData("AUTH GSSAPI\r\n", "234 ok\r\n")]
    [InlineData("AUTH TLSX\r\n", "234 ok\r\n")]
    [InlineData("AUTHTLS\r\n", "234 ok\r\n")]
    [InlineData("AUTH TLS", "234 ok\r\n")]
    [InlineData("SITE AUTH TLS\r\n", "234 ok\r\n")]
    [InlineData("NOOP\r\nAUTH TLS\r\n", "234 ok\r\n")]
    [InlineData("NOOP\r\n", "234 ok\r\n")]
    public void Anything_else_does_not(string request, string answer)
    {
        Assert.True(_bench.Client(request));
        Assert.True(_bench.Server(answer));
        _bench.Client("\n");
        Assert.True(_bench.Client(Port));
        Assert.Single(_bench.Noted);
    }

    [Fact]
    public void Lines_inside_other_text_do_not()
    {
        Assert.True(_bench.Client("SITE "));
        Assert.True(_bench.Client("AUTH TLS\r\n"));
        Assert.True(_bench.Server("234 ok\r\n"));
        Assert.True(_bench.Client(Port));
        Assert.True(_bench.Client("AUTH TLS\r\n"));
        Assert.True(_bench.Server("200 "));
        Assert.True(_bench.Server("234 ok\r\n"));
        Assert.True(_bench.Client(Port));
        Assert.Equal(2, _bench.Noted.Count);
    }

    [Fact]
    public void Refused_request_may_be_repeated()
    {
        Assert.True(_bench.Client("AUTH TLS\r\n"));
        Assert.True(_bench.Server("431 Not now\r\n"));
        Assert.True(_bench.Client(Port));
        Assert.Single(_bench.Noted);
        Assert.True(_bench.Client("AUTH TLS\r\n"));
        Assert.True(_bench.Server("234 ok\r\n"));
        Assert.True(((FtpControl)_bench.State!).IsEncrypted);
    }
}
