using System.Diagnostics.CodeAnalysis;

namespace Native.LibUsb;

/// <summary>
/// The living children of a parent, which closes them before itself. It does not keep them alive, yet still reaches one whose finaliser
/// has not run: long weak references see it, so closing the parent misses nothing.
/// </summary>
internal sealed class ChildSet<T>
    where T : class
{
    private readonly LinkedList<WeakReference<T>> _children = new();
    private bool _closed;
    private int _pruneAt = 64;

    /// <summary>Adds a child. Its parent may close it at once, on another thread: this is the last thing that a constructor does.</summary>
    /// <param name="child">The child.</param>
    /// <param name="registration">What <see cref="Remove"/> takes; it is set before anybody finds the child here.</param>
    /// <returns>False when the set is closed and the child must not live.</returns>
    public bool TryAdd(T child, [NotNullWhen(true)] out LinkedListNode<WeakReference<T>>? registration)
    {
        lock (_children)
        {
            registration = null;
            if (_closed)
                return false;
            if (_children.Count >= _pruneAt)
                Prune();
            registration = _children.AddLast(new WeakReference<T>(child, trackResurrection: true));
            return true;
        }
    }

    /// <summary>Removes a child, if it is still there, or ever was.</summary>
    public void Remove(LinkedListNode<WeakReference<T>>? child)
    {
        lock (_children)
        {
            if (child?.List is not null)
                _children.Remove(child);
        }
    }

    /// <summary>Whether it takes no more children.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_children)
                return _closed;
        }
    }

    /// <summary>Takes no more children.</summary>
    /// <returns>Whether this call closed it.</returns>
    public bool Close()
    {
        lock (_children)
        {
            bool first = !_closed;
            _closed = true;
            return first;
        }
    }

    /// <summary>The children at this moment, oldest first.</summary>
    public List<T> Snapshot()
    {
        lock (_children)
        {
            var living = new List<T>(_children.Count);
            foreach (WeakReference<T> child in _children)
            {
                if (child.TryGetTarget(out T? target))
                    living.Add(target);
            }

            return living;
        }
    }

    // Children that were never removed, only forgotten and collected.
    private void Prune()
    {
        LinkedListNode<WeakReference<T>>? next;
        for (LinkedListNode<WeakReference<T>>? child = _children.First; child is not null; child = next)
        {
            next = child.Next;
            if (!child.Value.TryGetTarget(out _))
                _children.Remove(child);
        }

        _pruneAt = Math.Max(64, _children.Count * 2);
    }
}
