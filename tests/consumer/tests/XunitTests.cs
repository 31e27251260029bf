using Xunit;

namespace Consumer;

public sealed class XunitTests
{
    [Theory]
    [InlineData("hello")]
    [InlineData("hello again, on a bus of its own")]
    public async Task Written_bytes_come_back(string text)
    {
        byte[] message = System.Text.Encoding.UTF8.GetBytes(text);

        Assert.Equal(message, await Loopback.SendAsync(message));
    }
}
