using CsCheck;

namespace FwCluster.Packets.Tests;

public class TcpOptionsTests
{
    [Theory]
    [InlineData("", -1, false)]
    [InlineData("03030700", 7, false)]
    [InlineData("01030314", 14, false)] // 20 is more than RFC 7323 allows
    [InlineData("04020303020303050000", 5, true)] // the last one counts
    [InlineData("00030307", -1, false)] // behind the end of the list
    [InlineData("0304070001030307", 7, false)] // a wrong length is skipped
    [InlineData("0800030307", -1, false)] // a silly length ends the walk
    [InlineData("0402080a0303", -1, true)] // so does one beyond the header
    public void WindowScaleAndSackPermitted(string options, int scale, bool sackPermitted)
    {
        Assert.Equal(scale, TcpOptions.WindowScale(Convert.FromHexString(options), out var permitted));
        Assert.Equal(sackPermitted, permitted);
    }

    [Theory]
    [InlineData("0101050a0000100000002000", 0x1000u, 0x2000u)]
    [InlineData("0101050a0000100000002000", 0x3000u, 0x3000u)]
    [InlineData("05120000100000002000000040000000500001", 1u, 0x5000u)]
    [InlineData("050a0000100000002000050a0000100000009000", 1u, 0x2000u)] // only the first option
    [InlineData("05090000100000002000", 1u, 1u)]
    [InlineData("050a0000000000000010", 0xfffffff0u, 0x10u)] // across the end of sequence space
    public void TheHighestSackEdge(string options, uint acknowledgment, uint expected)
        => Assert.Equal(expected, TcpOptions.HighestSack(Convert.FromHexString(options), acknowledgment));

    [Theory]
    [InlineData("020405b4", 1460)]
    [InlineData("00020405b4", 1460)] // the match walks on behind the end of the list
    [InlineData("0101", -1)]
    [InlineData("020405", -1)]
    [InlineData("0900020405b4", 1460)] // a length of zero counts as one: the walk goes on at the zero
    public void TheMaximumSegmentSize(string options, int expected)
        => Assert.Equal(expected, TcpOptions.MaximumSegmentSize(Convert.FromHexString(options)));

    [Fact]
    public void OptionsAreFoundByKind()
    {
        var options = Convert.FromHexString("020405b40402080a000000000000000001030307");
        foreach (var kind in new byte[] { 2, 4, 8, 1, 3 }) Assert.True(TcpOptions.Contains(options, kind));
        foreach (var kind in new byte[] { 5, 7, 0, 19 }) Assert.False(TcpOptions.Contains(options, kind));
    }

    [Fact]
    public void AnyBytesAreWalkedToAnEnd() => Gen.Byte.Array[0, 40].Sample(bytes =>
    {
        Assert.InRange(TcpOptions.WindowScale(bytes, out _), -1, 14);
        Assert.InRange(TcpOptions.MaximumSegmentSize(bytes), -1, 65535);
        Assert.True((int)(TcpOptions.HighestSack(bytes, 7) - 7) >= 0);
        if (bytes.Length > 0) Assert.True(TcpOptions.Contains(bytes, bytes[0]));
    });
}
