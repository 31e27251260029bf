using NUnit.Framework;

namespace Consumer;

public sealed class NUnitTests
{
    [TestCase("hello")]
    [TestCase("hello again, on a bus of its own")]
    public async Task Written_bytes_come_back(string text)
    {
        byte[] message = System.Text.Encoding.UTF8.GetBytes(text);

        Assert.That(await Loopback.SendAsync(message), Is.EqualTo(message));
    }
}
